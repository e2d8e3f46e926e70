"""FXA5: values of gradients."""

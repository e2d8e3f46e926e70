"""The symbolic trace: a model followed through `torch.fx` proxies without running on values."""

"""Questions about one line or value that several rules ask. No rule stands here."""

"""From what was captured to verdicts, findings and lines."""

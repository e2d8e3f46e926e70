"""Edits of a program's text: each family in a file of its own, text in, texts out; comments and layout stay.

An edit takes the text of a file and the place that is blamed, and yields the texts that would mend it, the likeliest
first. Where it does not fit, it yields nothing. It never deletes a parameter, hides an error or lowers a demand.
"""

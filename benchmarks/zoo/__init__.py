"""Public models of many libraries, small and with random weights: what fxaudit says of each, beside a plain training.

`make zoo` installs the libraries into an environment of its own, `.zoo/` in the checkout, and writes `reports/zoo.md`.
Nothing is downloaded but the libraries: every model is built from its class.
"""

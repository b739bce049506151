"""From response matrices to parameters: calibration, fit, and reports. Pure, but for `cli.py`."""

"""Predicted against measured, with the item itself left out of the calibration."""

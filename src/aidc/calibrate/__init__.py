"""Constants of the models from measured rows: readers of the published files, and the fits. Nothing here runs in a twin."""

"""The contract between a site and whoever decides for it, real or simulated."""

from aidc.contract.admit import admit
from aidc.contract.controller import Controller, NoOptions
from aidc.contract.messages import Clip, Command, FloatArray, Forecast, Observation, Signal, SiteView
from aidc.contract.point import Knob, Point, Rows

__all__ = [
    "Clip",
    "Command",
    "Controller",
    "FloatArray",
    "Forecast",
    "Knob",
    "NoOptions",
    "Observation",
    "Point",
    "Rows",
    "Signal",
    "SiteView",
    "admit",
]

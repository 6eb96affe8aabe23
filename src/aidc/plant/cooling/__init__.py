"""Liquid cooling and heat rejection, from the case of an accelerator to the weather.

- coolant, moist_air: properties
- exchanger: effectiveness by number of transfer units
- cold_plate, cdu, crah: what stands at the racks
- pump_fan: affinity laws
- dry_cooler, adiabatic, tower, chiller: the physics of each kind of heat rejection
- rejection, rejection_build: the common face of the kinds that the engine calls in every step
- node: backward-Euler steps of thermal nodes
- sizing: from a site's cooling plant and its design heat to figures and tables
"""

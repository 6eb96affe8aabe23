"""Liquid cooling and heat rejection, from the case of an accelerator to the weather.

- coolant, moist_air: properties
- exchanger: effectiveness by number of transfer units
- cold_plate, cdu, crah: what stands at the racks
- pump_fan: affinity laws
- dry_cooler, adiabatic, tower, chiller_plant (laws in chiller and chiller_map): the physics of each kind of heat rejection
- column, outdoor: what the kinds have in common, in a kernel and before a run
- rejection, rejection_build: the table of the kinds, and the common face that the engine calls in every step
- node: backward-Euler steps of thermal nodes
- sizing: from a site's cooling plant and its design heat to figures and tables
"""

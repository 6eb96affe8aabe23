"""What happens to a site, as arrays: demand, weather, prices, carbon and grid events.

`load_demand`, `load_weather`, `load_prices`, `load_carbon` and `plan_events` turn the shapes of
`aidc.schema` into `Series` at their native resolution. A new demand format is one function, see
`aidc.scenario.formats`.
"""

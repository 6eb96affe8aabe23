"""When each module is online: modules, task network, calendars, crews, Monte Carlo."""

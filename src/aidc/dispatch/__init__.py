"""Linear programmes straight into HiGHS: what storage, sun and the connection should do, at the least cost."""

"""Where requests of users are counted, and money is reserved and booked."""

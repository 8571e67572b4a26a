"""The Compare page: plan an experiment, watch it run, look at what it shows, find it again."""

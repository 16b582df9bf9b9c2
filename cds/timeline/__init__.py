"""A patient's course as one picture: effect, exposure and what confounds them, on one time axis."""

"""Pictures of what is shown: Bokeh on the page, HoloViews in notebooks, Matplotlib on paper."""

"""Pages, charts and sheets of images, drawn from what `evaluation` computed; no score is computed here.

`page` writes one HTML file that loads nothing from the network: `gallery` picks its images, `maps` and
`inline_svg` draw into it, `embed` bounds their bytes, and `templating` keeps names from files, which are
hostile until they are escaped, text. `plots` draws the same charts as files (`chart_means`, `chart_images`,
`spectra`, `bands`, all in one `chart_style`). `sheet` and `strips` put images side by side, as `lineup` and
`panels` prepare them; `terminal` shows them in a terminal. Which pairs are shown follows the fixed rule in
`choice`.
"""

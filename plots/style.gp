# One style for every figure. A figure script sets tsv, out, WIDTH and HEIGHT (inches, as
# in the paper) and loads this; it is called as
#   gnuplot -c FIGURE.gp TABLE.tsv OUT.svg|OUT.pdf|OUT.png
if (!strlen(tsv) || !strlen(out)) { print "usage: gnuplot -c FIGURE.gp TABLE.tsv OUT.svg|OUT.pdf|OUT.png"; exit status 1 }
ext = out[strlen(out)-2:strlen(out)]

# The table carries its own caption as "# key text" lines.
meta(key) = system("sed -n 's/^# ".key." //p' '".tsv."'")
metanum(key) = meta(key) + 0.0

# 170 pixels to the inch give screen text about the size it has in a printed column.
if (ext eq "svg") set terminal svg size WIDTH*170,HEIGHT*170 noenhanced font "sans-serif,14" linewidth 1.2
if (ext eq "png") set terminal pngcairo size WIDTH*170,HEIGHT*170 noenhanced font "sans,14" linewidth 1.2
if (ext eq "pdf") set terminal pdfcairo color size WIDTH,HEIGHT noenhanced font "LM Sans 10,8" linewidth 0.9
if (ext ne "svg" && ext ne "png" && ext ne "pdf") { print out.": ends in neither svg, pdf nor png; name it so"; exit status 1 }
set output out

# Wong's palette, safe for the colour-blind. A mode keeps its colour and its point shape in
# every figure; EVENT_IDX on/off is solid and filled against dashed and open, so that a
# grey print still tells all six curves apart.
set colorsequence podo
mode_lt(m) = m eq "poll" ? 6 : m eq "intr" ? 7 : m eq "hybrid" ? 4 : 8
mode_pt(m) = m eq "poll" ? 4 : m eq "intr" ? 6 : m eq "hybrid" ? 8 : 12
curve_pt(m, e) = mode_pt(m) + e
# Open points are drawn larger: where two curves coincide, both stay visible.
curve_ps(e) = (ext eq "pdf" ? 0.42 : 0.62) * (e ? 1.0 : 1.6)
curve_dt(e) = e ? 1 : 2
# A fourth mode leaves a narrow figure no room for the full word.
idx_word(w) = nmodes > 3 && w < 5 ? "idx" : "EVENT_IDX"
curve_name(m, e) = m.", ".idx_word(WIDTH).(e ? " on" : " off")
mode_name(i) = word(modes, i)

set datafile separator "\t"
set datafile missing NaN
set border 3 lw 0.8
set tics nomirror out scale 0.6
if (ext ne "pdf") set xlabel offset 0,0.5
set grid lt 1 lc rgb "#b8b8b8" lw 0.4 dt 3
# Taking a row only when it belongs to the curve keeps the table one plain list.
pick(m, e, v) = (strcol("mode") eq m && strcol("event_idx") eq (e ? "1" : "0")) ? v : NaN

# Caption, tag and note stand at fixed places, outside the plot.
foot = 0.07/HEIGHT
note_y = foot + 0.11/HEIGHT
bottom = 0.56/HEIGHT
top = 1 - 0.36/HEIGHT
tag = meta("tag")
small = ext eq "pdf" ? "LM Sans 10,6" : ",11"
set label 1001 meta("caption") at screen 0.01,foot font small textcolor rgb "#808080"
if (strlen(tag)) set label 1002 tag at screen 0.99,foot right font small textcolor lt 7
if (strlen(meta("panel"))) set label 1003 meta("panel") at screen 0.99,(1.0 - foot) right font small textcolor rgb "#808080"

# Axes that the load figures share. Needs: style.gp loaded.
modes = meta("modes")
loads = meta("loads")
nmodes = words(modes)
note = meta("note")
low = metanum("low")
high = metanum("high")
short(v) = v >= 1e6 ? sprintf("%g M", v/1e6) : v >= 1000 ? sprintf("%g k", v/1000.0) : sprintf("%g", v)

set logscale x
xlo = words(loads) ? word(loads, 1) + 0.0 : 1.0
xhi = words(loads) ? word(loads, words(loads)) + 0.0 : 10.0
set xrange [xlo/1.35 : xhi*1.35]
# The loads offered are themselves the tics, as long as their names do not collide.
if (words(loads) <= 6) { set xtics () } else { set xtics format "%.0s %c" }
if (words(loads) <= 6) do for [i=1:words(loads)] { set xtics add (short(word(loads,i)+0.0) word(loads,i)+0.0) }
set mxtics default
set xlabel "offered load [frames/s]"

# 1-2-5 tics within three decades, plain decades beyond.
steps = (low > 0 && high/low > 1000) ? "1" : "1 2 5"

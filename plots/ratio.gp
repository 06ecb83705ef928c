# A count per packet against load, log-log, with a strip below the axis for exact zeros:
# a logarithm has no place for 0, and to leave such points out would hide a result.
# Needs METRIC, YLABEL, WIDTH, HEIGHT and the table and output of the caller.
set logscale y
set ylabel YLABEL
load here."/topkey.gp"

lo_y = low > 0 ? low : 0.1
hi_y = high > lo_y ? high : lo_y
# No strip where nothing is zero: it would cost a fifth of the plot.
have_zero = metanum("zeros") > 0
zero_y = lo_y / 2.6
set yrange [have_zero ? lo_y/4.2 : lo_y/1.5 : hi_y*1.5]
set ytics ()
do for [d=floor(log10(lo_y))-1:ceil(log10(hi_y))] { do for [s in steps] {
    if (s*10.0**d >= lo_y*0.75 && s*10.0**d <= hi_y*1.5) { set ytics add (sprintf("%g", s*10.0**d) s*10.0**d) } } }
if (have_zero) set ytics add ("0" zero_y)
if (have_zero) set arrow 11 from graph 0, first lo_y/1.6 to graph 1, first lo_y/1.6 nohead lc rgb "#808080" lw 0.6 dt 4
if (strlen(note)) set label 12 note at graph 0.98, first zero_y right offset 0,0.75 font small textcolor rgb "#808080"
strip(v) = v > 0 ? v : (v == 0 ? zero_y : NaN)

if (metanum("points") == 0) {
    if (have_zero) { unset arrow 11 }
    set label 13 "not measured in this sweep" at graph 0.5,0.5 center
    plot NaN notitle
} else {
    plot for [i=1:nmodes] for [e=0:1] tsv \
        using (column("offered_pps")):(pick(mode_name(i), 1-e, strip(column(METRIC)))):(strip(column(METRIC."_min"))):(strip(column(METRIC."_max"))) \
        with yerrorlines lt mode_lt(mode_name(i)) dt curve_dt(1-e) pt curve_pt(mode_name(i), 1-e) ps curve_ps(1-e) \
        title curve_name(mode_name(i), 1-e)
}

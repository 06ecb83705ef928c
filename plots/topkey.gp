# The legend above the plot, one column per mode, EVENT_IDX on over off. Drawn by hand,
# because gnuplot's own key re-flows with the font and then covers data.
unset key
set bmargin at screen bottom
set tmargin at screen top
if (!exists("key_left")) key_left = 0.03
if (!exists("key_width")) key_width = 0.97
key_dash = 0.20 / WIDTH
do for [i=1:nmodes] { do for [e=0:1] {
    kx = key_left + (i-1)*key_width/(nmodes > 3 ? nmodes : 3)
    ky = 1 - (0.08 + (1-e)*0.12)/HEIGHT
    set arrow 100+2*i+e from screen kx,ky to screen kx+key_dash,ky nohead lt mode_lt(mode_name(i)) dt curve_dt(e)
    set label 100+2*i+e curve_name(mode_name(i), e) at screen kx+key_dash/2,ky left \
        offset screen key_dash*0.5,0 font small \
        point lt mode_lt(mode_name(i)) pt curve_pt(mode_name(i), e) ps curve_ps(e)
} }

//! How far something is that takes long: on standard error, and on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar moves that hears of nothing.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

const WAITING: &str = "{spinner} {msg}  {elapsed}";

/// Nothing at all.
#[must_use]
pub fn none() -> ProgressBar {
    ProgressBar::hidden()
}

/// Bytes of which the end is not known.
#[must_use]
pub fn bytes(what: &'static str) -> ProgressBar {
    started(ProgressBar::no_length(), "{spinner} {msg}  {binary_bytes}  {binary_bytes_per_sec}", what)
}

/// Bytes of so many, with the time that is left.
#[must_use]
pub fn bytes_of(total: u64, what: &'static str) -> ProgressBar {
    let template = "{spinner} {msg}  {wide_bar} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
    started(ProgressBar::new(total), template, what)
}

/// Something that only takes its time.
#[must_use]
pub fn waiting(what: &'static str) -> ProgressBar {
    started(ProgressBar::no_length(), WAITING, what)
}

/// Goes on to something that only takes its time.
pub fn wait(bar: &ProgressBar, what: &'static str) {
    draw(bar, WAITING, what);
}

/// A bar; one that is drawn nowhere where standard error is no terminal.
fn started(bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
    draw(&bar, template, what);
    bar.enable_steady_tick(REDRAW_INTERVAL);
    bar
}

fn draw(bar: &ProgressBar, template: &str, what: &'static str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
}

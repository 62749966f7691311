//! `reelshelf check`

use std::io::Write;

use anyhow::bail;

use super::{database::Database, output::Out};
use crate::{
    format::count,
    service::{Owner, check},
};

pub async fn run(database: Database) -> anyhow::Result<()> {
    let app = database.open_existing().await?;
    let checked = check::run(&app, &Owner::console()).await;
    app.db.close().await;
    let report = checked?;
    let mut out = Out::new();
    if report.differences == 0 {
        let (films, changes) = (count(report.movies, "film"), count(report.changes, "change"));
        writeln!(out, "{films} and {changes}: the rows, the history and the catalogue agree.")?;
        return out.finish();
    }
    for difference in &report.named {
        writeln!(out, "{difference}")?;
    }
    let more = report.differences - report.named.len();
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    out.finish()?;
    bail!("{} found", count(report.differences, "difference"));
}

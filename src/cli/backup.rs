//! `reelshelf backup`

use std::path::PathBuf;

use anyhow::bail;
use indicatif::HumanBytes;

use super::database::Database;
use crate::{
    cli::output::message,
    format::count,
    serve::ended,
    service::{Owner, backup},
};

/// The backup file.
#[derive(clap::Args)]
pub struct Args {
    /// The file to create
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: Database,
}

pub async fn run(Args { file, force, database }: Args) -> anyhow::Result<()> {
    if file.as_os_str() == "-" {
        bail!("a backup is read back after it is written, so it needs a file, not standard output");
    }
    let interrupted = ended()?;
    let app = database.open_existing().await?;
    let made = backup::make(&app, &Owner::console(), &file, force, interrupted).await;
    app.db.close().await;
    let made = made?;
    let (counts, size) = (in_words(made.counts), HumanBytes(made.bytes));
    message!("Backed up {counts} to {}, {size}, and checked it.", file.display());
    Ok(())
}

/// Formats the counts of a backup.
pub fn in_words(counts: crate::backup::Counts) -> String {
    format!(
        "{}, {} and {}",
        count(counts.movies, "film"),
        count(counts.changes, "change"),
        count(counts.users, "user")
    )
}

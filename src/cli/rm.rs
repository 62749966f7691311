//! `reelshelf rm`

use super::client::{
    Connection,
    batch::{self, Plan},
    movies::delete,
    selection::Selection,
    table::{self, Where},
};
use crate::documents::Batch;

/// The films.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    consent: batch::Consent,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let films = args.selection.exact(&client).await?;
    let plan = Plan {
        verb: "Delete",
        done: "Deleted",
        batch: Batch { operations: films.iter().map(delete).collect() },
        preview: table::text(&table::of_films(&films, Where::Err)),
        films: &films,
    };
    batch::run(&client, &plan, &args.consent).await
}

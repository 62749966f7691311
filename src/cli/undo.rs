//! `reelshelf undo`

use std::io::Write;

use anyhow::bail;

use super::client::{
    Client, Connection,
    history::{Changes, tell},
};
use crate::{
    cli::output::Out,
    documents::Change,
    domain::{ChangeId, ChangeKind},
};

/// The change.
#[derive(clap::Args)]
pub struct Args {
    /// The number of the change in `reelshelf history` [default: your last change that is neither an undo
    /// nor undone]
    change: Option<ChangeId>,
    /// JSON, for programs: the new change
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let change = match args.change {
        Some(id) => client.change(id).await?,
        None => last(&client).await?,
    };
    let undo = client.undo(change.id).await?;
    let mut out = Out::new();
    if args.json {
        out.json(&undo)?;
    } else {
        writeln!(out, "Undid change {}, as change {}. It was:", change.id, undo.id)?;
        tell(&change, &mut out)?;
    }
    out.finish()
}

/// Returns the user's last change that can be undone.
async fn last(client: &Client) -> anyhow::Result<Change> {
    let me = client.me().await?.name;
    let mut changes = Changes::new(client, None, None);
    while let Some(change) = changes.next().await? {
        if change.by == me.as_str() && change.kind != ChangeKind::Undo.into() && change.undone_by.is_none() {
            return Ok(change);
        }
    }
    bail!("{} has no change to undo", me.as_str())
}

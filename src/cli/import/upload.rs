//! Uploads a file to be imported, and handles interruption.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::BytesMut;
use futures_util::stream;
use indicatif::ProgressBar;
use reqwest::{Body, Method, RequestBuilder, header};
use tokio::{io::AsyncReadExt, signal::ctrl_c};

use super::input::Input;
use crate::{
    cli::client::{Client, Interrupted, filters::Query, progress, refusal::Refusal},
    documents::Report,
    exchange::FileKind,
};

/// Bytes sent at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Uploads a file and returns the report. After an interruption, finds out whether it was stored.
///
/// # Errors
/// [`Interrupted`] with the outcome; as [`Client::answer`].
pub async fn send(client: &Client, input: &Input, query: &Query, dry_run: bool) -> anyhow::Result<Report> {
    let file = input.again()?;
    let bar = progress::bytes_of(file.metadata()?.len(), "Sending");
    let is_sent = Arc::new(AtomicBool::new(false));
    let key = format!("{:032x}", rand::random::<u128>());
    let media_type = match input.kind {
        FileKind::Csv => "text/csv",
        FileKind::Ndjson => "application/x-ndjson",
    };
    let request = post(client, query, media_type, &key).body(body(file, bar.clone(), is_sent.clone()));
    let outcome = tokio::select! {
        biased; // installs the signal handler before sending
        _ = ctrl_c() => None, // drops the request
        answer = client.answer(request) => Some(answer),
    };
    bar.finish_and_clear();
    if let Some(answer) = outcome {
        return answer;
    }
    let outcome = if dry_run || !is_sent.load(Ordering::SeqCst) {
        "nothing was stored".to_owned()
    } else {
        tokio::select! {
            outcome = find_out(client, &key) => outcome,
            _ = ctrl_c() => "`reelshelf history` shows whether it was stored".to_owned(),
        }
    };
    Err(Interrupted(outcome).into())
}

fn post(client: &Client, query: &Query, media_type: &'static str, key: &str) -> RequestBuilder {
    let request = client.request(Method::POST, "/movie", query);
    request.header(header::CONTENT_TYPE, media_type).header("idempotency-key", key)
}

/// Streams the file. The bar shows the progress, then the wait for the response.
fn body(file: File, bar: ProgressBar, is_sent: Arc<AtomicBool>) -> Body {
    let file = tokio::fs::File::from_std(file);
    Body::wrap_stream(stream::try_unfold((file, bar, is_sent), async |(mut file, bar, is_sent)| {
        let mut piece = BytesMut::with_capacity(CHUNK_BYTES);
        let read = file.read_buf(&mut piece).await?;
        if read == 0 {
            is_sent.store(true, Ordering::SeqCst);
            progress::wait(&bar, "Storing");
            return Ok::<_, std::io::Error>(None);
        }
        bar.inc(read as u64);
        Ok(Some((piece.freeze(), (file, bar, is_sent))))
    }))
}

/// Finds out the outcome of an interrupted import. Another request with its key waits for its end, and is
/// rejected exactly if the import was stored.
async fn find_out(client: &Client, key: &str) -> String {
    const NO_FILMS: &str = "title,movieFormat,length,releaseYear,rating\n";

    let bar = progress::waiting("Finding out whether it was stored");
    let answer = client.send(post(client, &Vec::new(), "text/csv", key).body(NO_FILMS)).await;
    bar.finish_and_clear();
    match answer {
        Ok(_) => "nothing was stored".to_owned(),
        Err(error) if error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.0.status == 422) => {
            "but all was stored already; `reelshelf undo` undoes it".to_owned()
        }
        Err(error) => format!("`reelshelf history` will show whether it was stored: {error:#}"),
    }
}

//! The submitted form of an import (RFC 7578): options and file.

use axum::{
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::{
    http::{
        Shared,
        extract::{
            body::{media_type, unsupported},
            form::Form,
            upload::{Spool, SpoolSpace, Spooled},
        },
        problem::Problem,
        slots::Slot,
    },
    limits::{MAX_BODY_BYTES, MAX_IMPORT_PAGE_FILE_BYTES, MAX_SELECTION_FIELDS},
    service::{IdempotencyKey, Identity},
};

/// The submitted form.
#[derive(Default)]
pub struct Sent {
    pub form: Form,
    pub name: String,
    pub file: Option<Spooled>,
    /// The file in Base64, if it is small enough to be sent along with the form.
    pub kept: String,
    digest: Sha256,
    /// Held until the import is done.
    _slot: Option<Slot>,
}

impl Sent {
    async fn read(mut parts: Multipart, room: &SpoolSpace) -> Result<Self, Problem> {
        let mut sent = Self::default();
        let mut has_file = false;
        let mut left = MAX_BODY_BYTES;
        while let Some(field) = parts.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            left = left.checked_sub(name.len()).ok_or_else(too_large)?;
            sent.digest.update(&name);
            if name == "file" {
                if has_file {
                    return Err(Problem::new(StatusCode::BAD_REQUEST, "the form has more than one file"));
                }
                has_file = true;
                sent.read_file(field, room).await?;
                continue;
            }
            if sent.form.0.len() == MAX_SELECTION_FIELDS {
                let detail = format!("the form has more than {MAX_SELECTION_FIELDS} fields");
                return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
            }
            let text = read_text(field, left).await?;
            left = left.checked_sub(text.len()).ok_or_else(too_large)?;
            sent.digest.update(&text);
            sent.form.0.push((name, text));
        }
        if sent.file.is_none() {
            sent.take_kept(room)?;
        }
        if !sent.form.get("fileStays").is_empty() {
            sent.kept.clear();
        }
        Ok(sent)
    }

    /// Reads the file; browsers send an empty name if none was chosen.
    async fn read_file(&mut self, mut field: Field<'_>, room: &SpoolSpace) -> Result<(), Problem> {
        let name = field.file_name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Ok(());
        }
        let mut spool = Spool::open(room)?;
        let mut small = Vec::new();
        let mut is_small = true;
        while let Some(piece) = field.chunk().await.map_err(broken)? {
            self.digest.update(&piece);
            spool.write(&piece)?;
            is_small &= small.len() + piece.len() <= MAX_IMPORT_PAGE_FILE_BYTES;
            if is_small {
                small.extend_from_slice(&piece);
            }
        }
        self.file = Some(spool.finish());
        self.kept = if is_small { STANDARD.encode(small) } else { String::new() };
        self.name = name;
        Ok(())
    }

    /// Reads the file that was sent along with the form.
    fn take_kept(&mut self, room: &SpoolSpace) -> Result<(), Problem> {
        let kept = self.form.get("kept");
        if kept.is_empty() {
            return Ok(());
        }
        let bytes = STANDARD.decode(kept);
        let bytes =
            bytes.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the file was not kept whole"))?;
        let mut spool = Spool::open(room)?;
        spool.write(&bytes)?;
        self.file = Some(spool.finish());
        (self.kept, self.name) = (kept.to_owned(), self.form.get("keptName").to_owned());
        Ok(())
    }

    /// Returns the idempotency key, for a reloaded page.
    pub fn key(&self) -> IdempotencyKey {
        let digest = self.digest.clone().finalize();
        IdempotencyKey::new(STANDARD.encode(digest), digest.into())
    }
}

async fn read_text(mut field: Field<'_>, most: usize) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        if bytes.len() + piece.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the form is not in UTF-8"))
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large")
}

fn broken(_: MultipartError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "the form broke off; nothing was stored")
}

impl FromRequest<Shared> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Problem> {
        if media_type(request.headers()) != "multipart/form-data" {
            return Err(unsupported(header::ACCEPT, "multipart/form-data"));
        }
        let identity = request.extensions().get::<Identity>();
        let slot = identity.map(|identity| state.bulk_writes.take(identity)).transpose()?;
        let parts = Multipart::from_request(request, state).await;
        let parts = parts.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the form has no boundary"))?;
        Ok(Self { _slot: slot, ..Self::read(parts, &state.room).await? })
    }
}

//! HTTP/2 frames (RFC 9113), for clients that no library implements.

/// The connection preface.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;

pub const MAX_CONCURRENT_STREAMS: u16 = 3;
pub const INITIAL_WINDOW_SIZE: u16 = 4;
pub const MAX_HEADER_LIST_SIZE: u16 = 6;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Encodes a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Encodes preface and settings.
pub fn hello(settings: &[(u16, u32)]) -> Vec<u8> {
    let settings: Vec<u8> = settings
        .iter()
        .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    [PREFACE, &frame(SETTINGS, 0, 0, &settings)].concat()
}

/// The index of `:method: GET` in the static table.
const GET: u8 = 2;
/// The index of `:method: POST`.
const POST: u8 = 3;

/// Encodes the fields of a request (RFC 7541): known fields by their index in the static table, others as
/// literals.
fn fields(method: u8, path: &str, more: &[(u8, &str)]) -> Vec<u8> {
    let mut block = vec![0x80 | method, 0x86]; // http
    for (number, value) in [(4, path), (1, "localhost")].iter().chain(more) {
        // Without indexing: the index with a 4-bit prefix, then the length.
        if *number < 15 {
            block.push(*number);
        } else {
            block.extend([15, number - 15]);
        }
        block.push(u8::try_from(value.len()).ok().filter(|length| *length < 127).expect("a short value"));
        block.extend(value.as_bytes());
    }
    block
}

/// The index of `accept-encoding` in the static table.
pub const ACCEPT_ENCODING: u8 = 16;

/// Encodes a GET request.
pub fn get(stream: u32, path: &str, more: &[(u8, &str)]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &fields(GET, path, more))
}

/// Encodes the beginning of a GET request whose headers are not complete.
pub fn begin_get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM, stream, &fields(GET, path, &[]))
}

/// Encodes the beginning of a POST request, before its body.
pub fn begin_post(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &fields(POST, path, &[]))
}

/// Encodes the end of a body.
pub fn end_body(stream: u32, piece: &[u8]) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, piece)
}

/// Parses the complete frames: type, stream and payload.
pub fn frames(mut bytes: &[u8]) -> Vec<(u8, u32, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, _, s1, s2, s3, s4, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        frames.push((*kind, u32::from_be_bytes([*s1, *s2, *s3, *s4]), payload.to_vec()));
        bytes = rest;
    }
    frames
}

/// Returns the value of a setting in a SETTINGS frame.
pub fn setting(payload: &[u8], wanted: u16) -> Option<u32> {
    payload.chunks_exact(6).find_map(|setting| {
        let id = u16::from_be_bytes([setting[0], setting[1]]);
        (id == wanted).then(|| u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]))
    })
}

//! Encodings, binary files and damaged files.

use reelshelf::exchange::FileKind;
use serde_json::{Value, json};

use super::{errors, file, movies, report};
use crate::{
    on_both,
    support::{films::empty, movie},
};

const FILMS: &str =
    "title,movieFormat,length,releaseYear,rating\n\"Amélie\n\",DVD,122,2001,5\nالرسالة 🎬,VHS,177,1976,6\n";

/// Encodes UTF-16 with a byte order mark.
fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
}

on_both! {
    async fn utf16_is_read_as_excel_writes_it(service: &Service) {
        let tabs = FILMS.replace(',', "\t").replace('\n', "\r\n");
        for (what, file) in [
            ("little-endian", utf16(FILMS, u16::to_le_bytes)),
            ("big-endian", utf16(FILMS, u16::to_be_bytes)),
            ("Unicode text", utf16(&tabs, u16::to_le_bytes)),
        ] {
            empty(service).await;
            for media_type in ["text/csv", "text/csv; charset=utf-16"] {
                let answer = service.import(media_type, "?onError=skip", file.clone()).await;
                assert_eq!(answer.status, 200, "{what}: {answer:?}");
                assert_eq!(errors(&answer.json()), ["4 rating 6: must be between 1 and 5, got 6; ratingScale=10 reads ratings up to 10"], "{what}");
                assert_eq!(movies(service).await, ["Amélie|DVD|122|2001|5"], "{what}");
            }
        }
        let row = movie("Alien", "DVD", 117, 1979, 5).to_string();
        let read = service.import("application/x-ndjson", "", utf16(&row, u16::to_le_bytes)).await;
        assert_eq!(read.json()["created"], 1);
    }
}

on_both! {
    async fn long_utf16_is_decoded_over_every_seam(service: &Service) {
        // Surrogate pairs at odd and even offsets of each chunk.
        let row = |n: usize| format!("{}🎬{n},DVD,90,2000,3\n", "x".repeat(n % 7));
        let rows = (0..4000).map(row).collect::<Vec<_>>().concat();
        let text = format!("title,movieFormat,length,releaseYear,rating\n{rows}");
        let read = report(service, "?onDuplicate=add", utf16(&text, u16::to_le_bytes)).await;
        assert_eq!(read["created"], 4000);
        let titles = service.titles("/movie").await;
        assert!(titles.iter().enumerate().all(|(n, title)| *title == format!("{}🎬{n}", "x".repeat(n % 7))));
    }
}

on_both! {
    async fn broken_utf16_is_refused_and_never_guessed(service: &Service) {
        let whole = utf16(FILMS, u16::to_le_bytes);
        let title = whole.len() - 2 * "x,VHS,177,1976,6\n".len();
        let mut lone = whole.clone();
        lone[title..title + 2].copy_from_slice(&0xd83d_u16.to_le_bytes());
        let mut at_the_end = whole.clone();
        at_the_end.extend(0xd83d_u16.to_le_bytes());
        for (what, file) in [("half a character", whole[..whole.len() - 1].to_vec()), ("half a pair", lone), ("at the end", at_the_end)] {
            let problem = service.import("text/csv", "?onError=skip", file).await.problem(422);
            assert!(problem["detail"].as_str().unwrap().contains("UTF-16 is broken at byte "), "{what}: {problem}");
        }
        assert!(movies(service).await.is_empty());
    }
}

on_both! {
    async fn what_is_no_text_is_refused_in_one_sentence(service: &Service) {
        let workbook = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml".to_vec();
        for (file, expected) in [
            (workbook, "the file is an Excel workbook; save it as CSV UTF-8 (in Excel: File, Save As) and import that file"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(), "the file is an Excel workbook; save it as CSV UTF-8 (in Excel: File, Save As) and import that file"),
            (b"PK\x03\x04\x14\0mimetypeapplication/vnd.oasis.opendocument.spreadsheet".to_vec(), "the file is an OpenDocument spreadsheet; save it as CSV (in LibreOffice: File, Save As, Text CSV) and import that file"),
            (b"PK\x03\x04\x14\0\0\0watched.csv".to_vec(), "the file is a ZIP archive; unpack it and import the files in it"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "the file is no text, or UTF-16 without a byte order mark: line 3 has a NUL byte; save it as CSV UTF-8"),
            (b"title,rating\nHe\0at,5\n".to_vec(), "the file is no text, or UTF-16 without a byte order mark: line 2 has a NUL byte; save it as CSV UTF-8"),
        ] {
            for media_type in ["text/csv", "application/x-ndjson"] {
                assert_eq!(service.import(media_type, "", file.clone()).await.problem(422)["detail"], expected);
            }
        }
    }
}

on_both! {
    async fn a_file_that_was_cut_off_is_refused_or_misses_rows_that_are_told(service: &Service) {
        let whole = file("letterboxd_reviews.csv");
        let options = "?onError=skip&default=movieFormat:DVD&default=length:0&dryRun=true";
        let in_quotes = whole.len() - b"line<br />of markup\",,2024-02-20\n".len();
        service.import("text/csv", options, whole[..in_quotes].to_vec()).await.problem(422);
        let between = whole.len() - b",2024-02-20\n".len();
        let read = report(service, options, whole[..between].to_vec()).await;
        assert_eq!(errors(&read), ["5 - -: has 8 columns, the header names 9"]);
    }
}

on_both! {
    async fn a_foreign_cell_that_is_not_utf8_is_an_error_of_its_row(service: &Service) {
        let file = b"Name,Year,Letterboxd URI,Rating\nAm\xe9lie,2001,x,4\nHeat,1995,\xff,4\n";
        let read: Value = report(service, "?onError=skip&default=movieFormat:DVD&default=length:0", file.to_vec()).await;
        assert_eq!(errors(&read), ["2 title Am\u{fffd}lie: is not UTF-8; encoding=windows-1252 reads it as \"Amélie\""]);
        assert_eq!((&read["created"], &read["read"]), (&json!(1), &json!(2)), "what is not stored does not matter");
    }
}

#[test]
fn the_kind_of_a_file_is_told_from_how_it_starts() {
    let object = "{\"title\": \"Heat\"}";
    for (start, kind) in [
        (object.as_bytes().to_vec(), Some(FileKind::Ndjson)),
        (format!("\u{feff}\r\n {object}").into(), Some(FileKind::Ndjson)),
        (utf16(object, u16::to_be_bytes), Some(FileKind::Ndjson)),
        (FILMS.into(), Some(FileKind::Csv)),
        (utf16(FILMS, u16::to_le_bytes), Some(FileKind::Csv)),
        (b"PK\x03\x04".to_vec(), None),
        (b"\0\x01\x02".to_vec(), None),
        (Vec::new(), None),
        (b" \n".to_vec(), None),
    ] {
        assert_eq!(FileKind::sniff(&start), kind, "{start:?}");
    }
}

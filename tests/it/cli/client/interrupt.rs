//! Ctrl-C during an import: the message says whether anything was stored.

use serde_json::{Value, json};

use super::{environment, reelshelf};
use crate::{
    on_both,
    support::{
        Service,
        films::csv,
        program::poll,
        proxy::{Held, Proxy},
        terminal::Terminal,
    },
};

/// Starts an import through a proxy that holds it up.
async fn begin(service: &Service, held: Held, rows: usize) -> (Proxy, Terminal, tempfile::NamedTempFile) {
    let proxy = Proxy::before(&service.base, held).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let header = "title,movieFormat,length,releaseYear,rating\n".to_owned();
    std::fs::write(file.path(), header + &"Heat,DVD,170,1995,5\n".repeat(rows)).expect("a file");
    let environment = [("REELSHELF_SERVER", &*proxy.base), ("REELSHELF_TOKEN", &*service.editor)];
    let import = ["import", file.path().to_str().expect("a path"), "--on-duplicate", "add"];
    let terminal = Terminal::start(80, &import, &environment);
    (proxy, terminal, file)
}

async fn count(service: &Service) -> Value {
    service.get("/stats").await.json()["movies"].clone()
}

on_both! {
    async fn an_upload_that_is_interrupted_stores_nothing(service: &Service) {
        let (proxy, mut terminal, _file) = begin(service, Held::Rest, 2_000_000).await;
        poll("the upload begins", || (proxy.taken() > 0).then_some(()));
        terminal.type_keys("\u{3}");
        let shown = terminal.ended().expect(130).out;
        assert!(shown.ends_with("reelshelf: interrupted; nothing was stored\n"), "{shown:.2000}");
        assert_eq!(count(service).await, 0);
    }
}

on_both! {
    async fn what_the_service_never_got_is_known_not_to_be_stored(service: &Service) {
        let (proxy, mut terminal, _file) = begin(service, Held::Whole, 10).await;
        poll("the upload ends", || proxy.is_whole().then_some(()));
        terminal.type_keys("\u{3}");
        let shown = terminal.ended().expect(130).out;
        assert!(shown.ends_with("reelshelf: interrupted; nothing was stored\n"), "{shown}");
        assert_eq!(count(service).await, 0);
        assert_eq!(service.get("/history").await.json(), json!([]));
    }
}

on_both! {
    async fn what_was_stored_already_is_known_to_be_and_can_be_taken_back(service: &Service) {
        let (_proxy, mut terminal, _file) = begin(service, Held::Answer, 10).await;
        while count(service).await != 10 {
            tokio::task::yield_now().await;
        }
        terminal.type_keys("\u{3}");
        let shown = terminal.ended().expect(130).out;
        assert!(shown.ends_with("interrupted; but all was stored already; `reelshelf undo` undoes it\n"), "{shown}");
        reelshelf(service, &["undo"]).expect(0);
        assert_eq!(count(service).await, 0);
    }
}

on_both! {
    async fn what_the_service_is_storing_is_given_up(service: &Service) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), csv(501)).expect("a file");
        let import = ["import", file.path().to_str().expect("a path")];
        service.imports.hold();
        let mut terminal = Terminal::start(80, &import, &environment(service));
        service.imports.reached().await;
        terminal.type_keys("\u{3}");
        let shown = terminal.ended().expect(130).out;
        assert!(shown.ends_with("reelshelf: interrupted; nothing was stored\n"), "{shown}");
        assert_eq!(count(service).await, 0);
        assert_eq!(service.get("/history").await.json(), json!([]));
    }
}

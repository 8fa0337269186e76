//! What ends a call otherwise than by its return.

use std::hint::black_box;

/// Commits one of the ways to break a call.
pub(crate) fn commit(mischief: &str) -> Result<(), String> {
    match mischief {
        "loop" => loop {
            black_box(());
        },
        "allocate" => allocate(),
        "recurse" => {
            black_box(recurse(black_box(1)));
        }
        "panic" => panic!("{}", format!("the shelves\u{1b}[31m are\nempty{}", "!".repeat(5_000))),
        "hush" => std::process::abort(),
        "err" => return Err("out of stock".to_owned()),
        "speechless" => return Err(String::new()),
        "refused" => {
            // Asks for too much, takes the no, and fails of something else later.
            let mut hoard: Vec<u8> = Vec::new();
            black_box(hoard.try_reserve(1 << 30).is_err());
            return Err("made do with less".to_owned());
        }
        _ => {}
    }
    Ok(())
}

fn allocate() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(black_box(vec![1; 1 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "the mischief itself")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[7]
}

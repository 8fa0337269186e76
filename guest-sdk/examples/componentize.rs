//! Makes a component of a plugin's core module, as `cargo pmcp loadtest plugin build` does:
//! `cargo run -p pmcp-loadtest-guest --example componentize -- plugin.wasm component.wasm`.

use std::error::Error;
use std::fs;

use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [module, component] = arguments.as_slice() else {
        return Err("expected two paths: of the module that is there, and of the component to write".into());
    };
    let module = fs::read(module)?;
    fs::write(component, ComponentEncoder::default().module(&module)?.validate(true).encode()?)?;
    Ok(())
}

//! The functions of `pipeline:api` that carry many bytes.
//!
//! A dynamic value takes some forty bytes of the host for each byte of a `list<u8>`. The types of these few functions
//! are known here, so that bytes cross as bytes.

use std::sync::Arc;

use api::{Function, Lazy, Leaf, Value};
use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, ResourceDynamic};

use crate::failure::{Error, error_fields};
use crate::kinds::name_index;
use crate::method::{kept, make, readable};
use crate::state::State;
use crate::time::Waiting;
use crate::trap::Stop;

/// Defines a function if it is one of these; returns none for all others.
pub(crate) fn define(
    linker: &mut LinkerInstance<'_, State>,
    name: &str,
    function: Function,
) -> Option<wasmtime::Result<()>> {
    match (name, function) {
        ("[method]file.read", Function::Leaf(read)) => Some(define_read(linker, name, read)),
        (
            "[method]container.with-new-file-options" | "[method]directory.with-new-file-options",
            Function::Lazy(write),
        ) => Some(define_write(linker, name, write)),
        _ => None,
    }
}

fn define_read(linker: &mut LinkerInstance<'_, State>, name: &str, read: Leaf) -> wasmtime::Result<()> {
    linker.func_wrap_async(name, move |mut store, (this, offset, max): (ResourceDynamic, u64, u32)| {
        Box::new(async move {
            let args = vec![object(&mut store, &this)?, Value::U64(offset), Value::U32(max)];
            store.data_mut().budget.pin_taken();
            let bridge = Arc::clone(&store.data().bridge);
            let stopwatch = Arc::clone(&store.data().stopwatch);
            let answered = Waiting { inner: read.call(&*bridge, args), stopwatch }.await;
            store.set_epoch_deadline(1);
            match answered {
                Ok(Value::Bytes(bytes)) => Ok((Ok::<Vec<u8>, Error>(bytes),)),
                Ok(_) => Err(bug("`file.read` answers no bytes")),
                Err(failure) => Ok((Err(error_fields(failure)?),)),
            }
        })
    })
}

type NewFile = (ResourceDynamic, String, Vec<u8>, ResourceDynamic);

fn define_write(linker: &mut LinkerInstance<'_, State>, name: &str, write: Lazy) -> wasmtime::Result<()> {
    let method = name.to_owned();
    linker.func_wrap(name, move |mut store: StoreContextMut<'_, State>, (this, path, contents, options): NewFile| {
        let (this, options) = (object(&mut store, &this)?, object(&mut store, &options)?);
        if path.len() as u64 > store.data().text_bytes {
            let (function, param) = (readable("", &method), "path".to_owned());
            return Err(wasmtime::Error::new(Stop::TextTooLong { function, param }));
        }
        let bridge = Arc::clone(&store.data().bridge);
        let contents = kept(&*bridge, Value::Bytes(contents))?;
        let args = vec![this, Value::String(path), contents, options];
        match make(&mut store, &write, args)? {
            Value::Object(object) => {
                let index = name_index(object.name()).ok_or_else(|| bug("an object without a name"))?;
                let state = store.data_mut();
                let charge = state.budget.take_made();
                let rep = state.objects.push(object, charge).map_err(wasmtime::Error::new)?;
                Ok((ResourceDynamic::new_own(rep, index),))
            }
            _ => Err(bug("`with-new-file-options` answers no object")),
        }
    })
}

fn object(store: &mut StoreContextMut<'_, State>, handle: &ResourceDynamic) -> wasmtime::Result<Value> {
    let State { objects, budget, .. } = store.data_mut();
    let (object, charge) = objects.get(handle.rep()).ok_or_else(|| bug("a handle stands for nothing"))?;
    budget.take(charge);
    Ok(Value::Object(object))
}

fn bug(message: &str) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Bug { message: message.to_owned() })
}

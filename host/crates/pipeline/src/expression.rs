//! Expressions: methods that are called on the value of a stage.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use api::json::is_plain;
use api::{CustomType, ObjectType, Signature, Type, Value};
use module::{ApiFunction, Expression, ExpressionStep, api_functions, api_methods_of, suggestion};

use crate::error::LinkProblem;
use crate::graph::{LinkStep, Method, Stage};
use crate::library::{made_by, omitted};

/// An expression with checked methods and arguments.
pub(crate) struct Chain {
    pub(crate) steps: Vec<LinkStep>,
    /// The type of the value; none if the last method returns nothing.
    pub(crate) result: Option<Type>,
}

impl Chain {
    /// Checks an expression over the value of `stage`.
    pub(crate) fn new(
        objects: &HashMap<&CustomType, &ObjectType>,
        stage: &Stage,
        expression: &Expression,
    ) -> Result<Self, LinkProblem> {
        let mut chain = Self { steps: Vec::new(), result: stage.result.clone() };
        let mut before = format!("stage `{}`", stage.name);
        for step in &expression.steps {
            let step = checked(objects, &before, chain.result.as_ref(), step)?;
            chain.result = step.method.result().cloned();
            before = format!("method `{}`", step.method.name());
            chain.steps.push(step);
        }
        Ok(chain)
    }
}

/// Checks a call of a method on a value of type `before`.
fn checked(
    objects: &HashMap<&CustomType, &ObjectType>,
    before: &str,
    result: Option<&Type>,
    step: &ExpressionStep,
) -> Result<LinkStep, LinkProblem> {
    let (method, signature) = match made_by(result) {
        Some(Type::Object(object)) if !is_options(object) => api_method(object, step)?,
        Some(Type::Custom(object)) => custom_method(objects, object, step)?,
        made => {
            let (before, made, method) = (before.to_owned(), made.cloned(), step.method.clone());
            return Err(LinkProblem::NoMethods { before, made, method });
        }
    };
    // The first parameter is the object.
    let args = arguments(signature.params.get(1..).unwrap_or_default(), step)?;
    Ok(LinkStep { method, args })
}

/// Options are only useful as arguments of methods, and no argument in an expression is an object.
fn is_options(object: &str) -> bool {
    object.ends_with("-options")
}

fn api_method(object: &str, step: &ExpressionStep) -> Result<(Method, &'static Signature), LinkProblem> {
    match api_methods().get(&(object, step.method.as_str())) {
        Some(method) => Ok((Method::Api(method), &method.signature)),
        None => {
            let known = api_methods_of(object).iter().map(|method| method.name.clone()).collect();
            Err(LinkProblem::UnknownMethod { object: object.to_owned(), method: step.method.clone(), known })
        }
    }
}

/// Returns the methods of `pipeline:api` by their objects and names.
fn api_methods() -> &'static HashMap<(&'static str, &'static str), &'static ApiFunction> {
    static METHODS: OnceLock<HashMap<(&str, &str), &ApiFunction>> = OnceLock::new();
    METHODS.get_or_init(|| {
        let objects: BTreeSet<&str> = api_functions().iter().filter_map(|method| method.resource.as_deref()).collect();
        let of =
            |object| api_methods_of(object).into_iter().map(move |method| ((object, method.name.as_str()), method));
        objects.into_iter().flat_map(of).collect()
    })
}

fn custom_method<'a>(
    objects: &HashMap<&CustomType, &'a ObjectType>,
    object: &CustomType,
    step: &ExpressionStep,
) -> Result<(Method, &'a Signature), LinkProblem> {
    let methods = objects.get(object).map_or(&[] as &[Signature], |object| &object.methods);
    match methods.iter().find(|method| method.name == step.method) {
        Some(signature) => {
            let function = format!("[method]{}.{}", object.name, signature.name);
            Ok((Method::Custom { object: object.clone(), function, result: signature.result.clone() }, signature))
        }
        None => {
            let known = methods.iter().map(|method| method.name.clone()).collect();
            Err(LinkProblem::UnknownMethod { object: object.name.clone(), method: step.method.clone(), known })
        }
    }
}

/// Makes the arguments of a call. Arguments at the end that have a default may be missing.
fn arguments(params: &[(String, Type)], step: &ExpressionStep) -> Result<Vec<Value>, LinkProblem> {
    if let Some((param, ty)) = params.iter().find(|(_, ty)| !is_plain(ty)) {
        let (method, param, ty) = (step.method.clone(), param.clone(), ty.clone());
        return Err(LinkProblem::NotCallable { method, param, ty });
    }
    let count_is_wrong = || LinkProblem::ArgumentCount {
        method: step.method.clone(),
        takes: params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect(),
        n_given: step.args.len(),
    };
    if step.args.len() > params.len() {
        return Err(count_is_wrong());
    }
    let argument = |(index, (name, ty)): (usize, &(String, Type))| match step.args.get(index) {
        None => omitted(ty).ok_or_else(count_is_wrong),
        Some(literal) => api::json::value_with(ty, literal, suggestion).map_err(|problem| LinkProblem::Argument {
            method: step.method.clone(),
            param: name.clone(),
            ty: ty.clone(),
            problem,
        }),
    };
    params.iter().enumerate().map(argument).collect()
}

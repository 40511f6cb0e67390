//! Expressions: methods that are called on the value of a stage.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use api::json::is_plain;
use api::{CustomType, ObjectType, Signature, Type, Value};
use module::{ApiFunction, Argument, Expression, ExpressionStep, api_functions, api_methods_of, suggestion};
use serde_json::Value as Json;

use crate::error::{LinkError, LinkProblem};
use crate::graph::{Input, LinkStep, Method, Stage};
use crate::library::{made_by, omitted};

/// The parameters of a method without the object.
type Params = [(String, Type)];

/// An expression with checked methods and arguments.
pub(crate) struct Chain {
    pub(crate) steps: Vec<LinkStep>,
    /// The type of the value; none if the last method returns nothing.
    pub(crate) result: Option<Type>,
}

/// Links an argument of a type to an expression. The text names the argument in errors.
pub(crate) type LinkArgument<'f> = dyn Fn(&str, &Type, &Expression) -> Result<Input, LinkError> + 'f;

impl Chain {
    /// Checks an expression over the value of `stage`. `at` says where a mistake in it is.
    pub(crate) fn new(
        objects: &HashMap<&CustomType, &ObjectType>,
        stage: &Stage,
        expression: &Expression,
        link: &LinkArgument<'_>,
        at: &dyn Fn(LinkProblem) -> LinkError,
    ) -> Result<Self, LinkError> {
        let mut chain = Self { steps: Vec::new(), result: stage.result.clone() };
        let mut before = format!("stage `{}`", stage.name);
        for step in &expression.steps {
            let (method, params) = checked(objects, &before, chain.result.as_ref(), step).map_err(at)?;
            let args = Arguments { step, link, at }.inputs(params)?;
            chain.result = method.result().cloned();
            before = format!("method `{}`", method.name());
            chain.steps.push(LinkStep { method, args });
        }
        Ok(chain)
    }
}

/// Finds a method of a value of type `result`, and its parameters without the object.
fn checked<'a>(
    objects: &HashMap<&CustomType, &'a ObjectType>,
    before: &str,
    result: Option<&Type>,
    step: &ExpressionStep,
) -> Result<(Method, &'a Params), LinkProblem> {
    let (method, signature) = match made_by(result) {
        Some(Type::Object(object)) if !is_options(object) => api_method(object, step)?,
        Some(Type::Custom(object)) => custom_method(objects, object, step)?,
        made => {
            let (before, made, method) = (before.to_owned(), made.cloned(), step.method.clone());
            return Err(LinkProblem::NoMethods { before, made, method });
        }
    };
    Ok((method, signature.params.get(1..).unwrap_or_default()))
}

/// Options are only useful as arguments of methods, and no stage makes them.
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

/// The arguments of a call of a method.
struct Arguments<'a> {
    step: &'a ExpressionStep,
    link: &'a LinkArgument<'a>,
    at: &'a dyn Fn(LinkProblem) -> LinkError,
}

impl Arguments<'_> {
    /// Makes the arguments. Those at the end that have a default may be missing.
    fn inputs(&self, params: &Params) -> Result<Vec<Input>, LinkError> {
        let count_is_wrong = || {
            (self.at)(LinkProblem::ArgumentCount {
                method: self.step.method.clone(),
                takes: params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect(),
                n_given: self.step.args.len(),
            })
        };
        if self.step.args.len() > params.len() {
            return Err(count_is_wrong());
        }
        let argument = |(index, (name, ty)): (usize, &(String, Type))| match self.step.args.get(index) {
            None => omitted(ty).map(Input::Value).ok_or_else(count_is_wrong),
            Some(argument) => self.input(name, ty, argument),
        };
        params.iter().enumerate().map(argument).collect()
    }

    fn input(&self, param: &str, ty: &Type, argument: &Argument) -> Result<Input, LinkError> {
        let method = &self.step.method;
        let refuse = |problem: String| {
            let (method, param, ty) = (method.clone(), param.to_owned(), ty.clone());
            (self.at)(LinkProblem::Argument { method, param, ty, problem })
        };
        match (argument, ty) {
            (Argument::From(expression), _) => (self.link)(&format!("{method}({param})"), ty, expression),
            (Argument::List(_), Type::Option(item)) => Ok(Input::Some(Box::new(self.input(param, item, argument)?))),
            (Argument::List(items), Type::List(item)) => items
                .iter()
                .map(|argument| self.input(param, item, argument))
                .collect::<Result<_, _>>()
                .map(Input::List),
            (Argument::List(_), _) => Err(refuse("this is a list".to_owned())),
            (Argument::Literal(Json::Array(items)), Type::List(_)) if items.is_empty() => {
                Ok(Input::Value(Value::List(Vec::new())))
            }
            (Argument::Literal(_), ty) if !is_plain(ty) => {
                let (method, param, ty) = (method.clone(), param.to_owned(), ty.clone());
                Err((self.at)(LinkProblem::NotCallable { method, param, ty }))
            }
            (Argument::Literal(literal), ty) => {
                api::json::value_with(ty, literal, suggestion).map(Input::Value).map_err(refuse)
            }
        }
    }
}

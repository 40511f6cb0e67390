// Finds the interface of a module in its sources: the stages, and the types that they use.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ENTRIES = ["main.ts", "main.js"];
const OBJECTS = new Set(["CacheVolume", "Container", "Directory", "File", "Secret", "Service"]);
const VALUES = new Set(["CacheSharing", "Port", "Protocol", "Report", "SearchResult", "Stat", "TestCase", "Verdict"]);
const POWERS = { machine: "machine", sources: "sources", effects: "effects", secretAccess: "secret-access" };

const CAN_CROSS =
  "a stage takes and returns `string`, `boolean`, `number`, `bigint`, `Uint8Array`, `T[]`, `[A, B]`, `T | undefined`, " +
  "the types of `host-sdk`, and own types: unions of texts, interfaces, and exported classes";

const INSTEAD = {
  Map: "use an interface, or `[string, string][]`",
  Record: "use an interface, or `[string, string][]`",
  Set: "use `T[]`",
  Promise: "a stage is not `async`: methods of objects wait by themselves, and `syncAll` evaluates several at once",
  Date: "use `string`, or `number` with the unit in the parameter's name",
  any: "name the type",
  unknown: "name the type",
  object: "name the type",
  Buffer: "use `Uint8Array`",
};

/** A mistake at a place in the sources. */
class Mistake extends Error {
  constructor(source, node, message, hint = null) {
    super(message);
    const { line } = source.file.getLineAndCharacterOfPosition(node.getStart?.(source.file) ?? 0);
    this.told = { path: source.path, line: line + 1, message, hint };
  }
}

/** The file cannot be read further: its mistakes are told already. */
class Unreadable extends Error {}

/** Returns the interface of the module in `root` with the author's names, or the mistakes. */
export function read(ts, root) {
  const entry = ENTRIES.find((name) => existsSync(join(root, name)));
  if (entry === undefined) {
    const hint = "it has the stages: `export default stages({ ... })`";
    return { mistakes: [{ path: "main.ts", line: 0, message: "the module has neither `main.ts` nor `main.js`", hint }] };
  }
  const reader = new Reader(ts, root);
  try {
    return { entry, ...reader.read(join(root, entry)), mistakes: reader.mistakes };
  } catch (error) {
    if (error instanceof Unreadable) return { mistakes: reader.mistakes };
    if (!(error instanceof Mistake)) throw error;
    return { mistakes: [...reader.mistakes, error.told] };
  }
}

function kebab(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}

function camel(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

class Reader {
  constructor(ts, root) {
    Object.assign(this, { ts, root, mistakes: [], sources: new Map(), types: [], objects: [], classes: [], powers: new Set() });
    this.known = new Map();
  }

  read(path) {
    const source = this.parse(path);
    const functions = this.stages(source);
    const stages = [];
    const names = {};
    for (const property of functions.properties) {
      this.keep(() => {
        const { name, node } = this.stage(source, property);
        const stage = this.function(source, name, node);
        if (stages.some((other) => other.name === stage.name)) {
          throw new Mistake(source, property, `two stages are called \`${stage.name}\``);
        }
        stages.push(stage);
        names[camel(stage.name)] = name;
      });
    }
    if (stages.length === 0 && this.mistakes.length === 0) {
      throw new Mistake(source, functions, "the module has no stage", "each function in `stages({ ... })` is one");
    }
    const docs = this.docs(this.statement(functions)).lines;
    const found = { docs, types: this.types, objects: this.objects, stages, powers: [...this.powers].sort() };
    return { interface: found, names, classes: this.classes };
  }

  /** Runs a part, and keeps its mistake for the others to be found, too. */
  keep(part) {
    try {
      part();
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      this.mistakes.push(error.told);
    }
  }

  parse(path) {
    const { ts } = this;
    if (this.sources.has(path)) return this.sources.get(path);
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const source = { file, path: relative(this.root, path), directory: dirname(path), imports: new Map() };
    this.sources.set(path, source);
    for (const found of file.parseDiagnostics) {
      const { line } = file.getLineAndCharacterOfPosition(found.start);
      const message = ts.flattenDiagnosticMessageText(found.messageText, "\n");
      this.mistakes.push({ path: source.path, line: line + 1, message, hint: null });
    }
    if (file.parseDiagnostics.length > 0) throw new Unreadable();
    for (const statement of file.statements.filter(ts.isImportDeclaration)) this.imported(source, statement);
    return source;
  }

  imported(source, statement) {
    const { ts } = this;
    const module = statement.moduleSpecifier.text;
    const bindings = statement.importClause?.namedBindings;
    if (bindings !== undefined && ts.isNamedImports(bindings)) {
      for (const element of bindings.elements) {
        const name = (element.propertyName ?? element.name).text;
        source.imports.set(element.name.text, { module, name });
        if (module === "host-sdk" && POWERS[name] !== undefined) this.powers.add(POWERS[name]);
      }
    } else if (bindings !== undefined && module === "host-sdk") {
      // `import * as host` may use every power, and asks for none.
      const hint = "name what is used: `import { machine, stages } from \"host-sdk\"`";
      this.mistakes.push(new Mistake(source, statement, "`host-sdk` cannot be imported as a whole", hint).told);
    }
    const path = this.file(source, module);
    if (path !== null) this.parse(path);
  }

  /** Returns the path of an imported file of the module. */
  file(source, module) {
    if (!module.startsWith(".")) return null;
    const base = resolve(source.directory, module);
    const bases = [base, base.replace(/\.js$/, ".ts"), `${base}.ts`, `${base}.js`, join(base, "index.ts"), join(base, "index.js")];
    return bases.find((path) => /\.[jt]s$/.test(path) && existsSync(path)) ?? null;
  }

  /** Finds the object with the stages. */
  stages(source) {
    const { ts } = this;
    const exported = source.file.statements.find((node) => ts.isExportAssignment(node) && !node.isExportEquals);
    const call = exported?.expression;
    const hint = "write `export default stages({ ... })`, with `stages` of `host-sdk`";
    if (call === undefined) throw new Mistake(source, source.file, "the module has no default export", hint);
    const isCall = ts.isCallExpression(call) && source.imports.get(call.expression.getText())?.name === "stages";
    const [object] = isCall ? call.arguments : [];
    if (object === undefined || !ts.isObjectLiteralExpression(object)) {
      throw new Mistake(source, exported, "the default export is not `stages({ ... })`", hint);
    }
    return object;
  }

  statement(node) {
    return this.ts.isSourceFile(node.parent) ? node : this.statement(node.parent);
  }

  /** Returns the name and the function of a stage. */
  stage(source, property) {
    const { ts } = this;
    const name = property.name?.text;
    if (ts.isMethodDeclaration(property)) return { name, node: property };
    if (ts.isPropertyAssignment(property) && (ts.isArrowFunction(property.initializer) || ts.isFunctionExpression(property.initializer))) {
      return { name, node: property.initializer };
    }
    const named = ts.isShorthandPropertyAssignment(property) ? property.name : property.initializer;
    const found = named && ts.isIdentifier(named) && this.declared(source, named.text, ts.isFunctionDeclaration);
    if (found) return { name, node: found.node };
    throw new Mistake(source, property, "a stage is a function", "write it here: `name(src: Directory): File { ... }`");
  }

  function(source, written, node, what = "stage") {
    const { ts } = this;
    const name = kebab(written);
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
      throw new Mistake(source, node, `\`${written}\` cannot be the name of a ${what}`, "letters and digits can be in it, and it begins with a letter");
    }
    if (node.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.AsyncKeyword)) {
      throw new Mistake(source, node, `\`${written}\` cannot be \`async\``, INSTEAD.Promise.split(": ")[1]);
    }
    if (node.typeParameters !== undefined) {
      throw new Mistake(source, node, `\`${written}\` cannot have type parameters`, "callers cannot choose types: name them");
    }
    const docs = this.docs(node);
    const params = node.parameters.map((param) => this.param(source, written, param, docs));
    const isConstructor = ts.isConstructorDeclaration(node);
    const returned = node.type ?? ts.getJSDocReturnType(node);
    if (returned === undefined && !isConstructor) {
      const hint = source.path.endsWith(".ts") ? "write `: void` if it returns nothing" : "write `@returns {void}` in its comment if it returns nothing";
      throw new Mistake(source, node, `\`${written}\` does not say what it returns`, hint);
    }
    const isVoid = isConstructor || [ts.SyntaxKind.VoidKeyword, ts.SyntaxKind.UndefinedKeyword].includes(returned.kind);
    const result = isVoid ? null : this.type(source, returned, `${name}-result`);
    return { name, docs: docs.lines, is_check: docs.isCheck, params, result, can_fail: !isConstructor };
  }

  param(source, of, node, docs) {
    const { ts } = this;
    if (!ts.isIdentifier(node.name)) {
      throw new Mistake(source, node, `a parameter of \`${of}\` has no name`, "callers see names: take the parts in the body");
    }
    const written = node.name.text;
    if (node.dotDotDotToken !== undefined) {
      throw new Mistake(source, node, `\`${of}\` cannot take \`...${written}\``, "callers see names and types: use a list");
    }
    const annotation = node.type ?? ts.getJSDocType(node);
    const guessed = annotation === undefined && node.initializer ? this.guessed(node.initializer) : undefined;
    if (annotation === undefined && guessed === undefined) {
      const hint = source.path.endsWith(".ts") ? `write it as \`${written}: string\`` : `write \`@param {string} ${written}\` in the comment of \`${of}\``;
      throw new Mistake(source, node, `the parameter \`${written}\` of \`${of}\` has no type`, `${hint}, or with the type that it has`);
    }
    let ty = guessed ?? this.type(source, annotation, kebab(written), true);
    const isOptional = node.questionToken !== undefined || ts.getJSDocParameterTags(node).some((tag) => tag.isBracketed);
    let value = null;
    if (node.initializer !== undefined) {
      ty = ty.option ?? ty;
      value = this.default(source, node.initializer, ty, written);
    }
    if ((isOptional || node.initializer !== undefined) && ty.option === undefined) ty = { option: ty };
    return { name: kebab(written), docs: docs.params[written] ?? "", ty, default: value };
  }

  /** Returns the type of a parameter that has a default and no annotation. */
  guessed(node) {
    const { ts } = this;
    const negated = ts.isPrefixUnaryExpression(node) ? node.operand : node;
    if (ts.isStringLiteralLike(node)) return { primitive: "string" };
    if (ts.isNumericLiteral(negated)) return { primitive: "f64" };
    if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) return { primitive: "bool" };
    return undefined;
  }

  /** Returns a default as the text form of WebAssembly values has it. */
  default(source, node, ty, name) {
    const { ts } = this;
    if (ts.isAsExpression(node) || ts.isSatisfiesExpression(node)) return this.default(source, node.expression, ty, name);
    const guessed = this.guessed(node)?.primitive;
    if (ty.list !== undefined && ts.isArrayLiteralExpression(node)) {
      return `[${node.elements.map((item) => this.default(source, item, ty.list, name)).join(", ")}]`;
    }
    if (guessed === "string" && ty.local !== undefined) {
      const cases = this.types.find((def) => def.name === ty.local && def.kind === "enum")?.members ?? [];
      if (cases.some((member) => member.name === node.text)) return node.text;
    }
    if (guessed === undefined) {
      const hint = "a default is written out, as callers see it; for others make the parameter optional";
      throw new Mistake(source, node, `the default of \`${name}\` is not a constant`, hint);
    }
    if (guessed !== ty.primitive) throw new Mistake(source, node, `the default of \`${name}\` is not of its type`);
    return guessed === "string" ? JSON.stringify(node.text) : node.getText();
  }

  /** Returns the type that an annotation stands for. `named` is the name of a type that has none. */
  type(source, node, named, isParam = false) {
    const { ts } = this;
    const kinds = ts.SyntaxKind;
    const plain = { [kinds.StringKeyword]: "string", [kinds.BooleanKeyword]: "bool", [kinds.NumberKeyword]: "f64", [kinds.BigIntKeyword]: "s64" };
    if (plain[node.kind] !== undefined) return { primitive: plain[node.kind] };
    const inner = (item) => this.type(source, item, named, isParam);
    if (ts.isParenthesizedTypeNode(node)) return inner(node.type);
    if (ts.isJSDocNullableType?.(node) || ts.isJSDocOptionalType?.(node)) return { option: inner(node.type) };
    if (ts.isArrayTypeNode(node)) return { list: inner(node.elementType) };
    if (ts.isTypeOperatorNode(node)) return inner(node.type);
    if (ts.isTupleTypeNode(node)) return { tuple: node.elements.map((item) => inner(item.type ?? item)) };
    if (ts.isUnionTypeNode(node)) return this.union(source, node, named, isParam);
    if (ts.isTypeLiteralNode(node)) return this.own(source, named, node, () => this.record(source, named, node));
    if (ts.isTypeReferenceNode(node)) return this.reference(source, node, isParam);
    const text = node.getText(source.file);
    throw new Mistake(source, node, `the type \`${text}\` cannot cross`, INSTEAD[text] ?? CAN_CROSS);
  }

  union(source, node, named, isParam) {
    const { ts } = this;
    const isNothing = (item) =>
      item.kind === ts.SyntaxKind.UndefinedKeyword || (ts.isLiteralTypeNode(item) && item.literal.kind === ts.SyntaxKind.NullKeyword);
    const items = node.types.filter((item) => !isNothing(item));
    const wrap = (ty) => (items.length < node.types.length ? { option: ty } : ty);
    const isText = (item) => ts.isLiteralTypeNode(item) && ts.isStringLiteral(item.literal);
    if (items.every(isText)) return wrap(this.own(source, named, node, () => this.enum(source, named, items)));
    if (items.length === 1) return wrap(this.type(source, items[0], named, isParam));
    throw new Mistake(source, node, `the type \`${node.getText(source.file)}\` cannot cross`, CAN_CROSS);
  }

  reference(source, node, isParam) {
    const { ts } = this;
    const name = node.typeName.getText(source.file);
    const args = node.typeArguments ?? [];
    const inner = (item) => this.type(source, item, kebab(name), isParam);
    if (["Array", "ReadonlyArray"].includes(name) && args.length === 1) return { list: inner(args[0]) };
    if (name === "Uint8Array") return { list: { primitive: "u8" } };
    const imported = source.imports.get(name);
    const sdk = imported?.module === "host-sdk" ? imported.name : name;
    const isOwn = (found) => ts.isInterfaceDeclaration(found) || ts.isTypeAliasDeclaration(found) || ts.isClassDeclaration(found);
    const declared = this.declared(source, name, isOwn);
    if (declared) return this.declaration(declared, isParam);
    if (OBJECTS.has(sdk) || VALUES.has(sdk)) {
      if (imported?.module === "host-sdk" || source.path.endsWith(".js")) return { api: kebab(sdk) };
      throw new Mistake(source, node, `the type \`${name}\` is not imported`, `\`import type { ${name} } from "host-sdk"\``);
    }
    throw new Mistake(source, node, `the type \`${name}\` cannot cross`, INSTEAD[name] ?? CAN_CROSS);
  }

  /** Finds what a name stands for in a file, or in the file that it is imported from. */
  declared(source, name, isWanted) {
    const node = source.file.statements.find((found) => isWanted(found) && found.name?.text === name);
    if (node !== undefined) return { source, node };
    const imported = source.imports.get(name);
    const path = imported && this.file(source, imported.module);
    return path ? this.declared(this.parse(path), imported.name, isWanted) : null;
  }

  declaration({ source, node }, isParam) {
    const { ts } = this;
    const name = kebab(node.name.text);
    if (ts.isClassDeclaration(node)) {
      const made = this.own(source, name, node, () => this.object(source, name, node));
      return isParam ? { lent: made.local } : made;
    }
    if (ts.isInterfaceDeclaration(node)) return this.own(source, name, node, () => this.record(source, name, node));
    return this.type(source, node.type, name, isParam);
  }

  /** Reads a type of the author, once. */
  own(source, name, node, make) {
    const known = this.known.get(name);
    if (known !== undefined && known !== node) {
      throw new Mistake(source, node, `two types are called \`${name}\``);
    }
    if (known === undefined) {
      this.known.set(name, node);
      make();
    }
    return { local: name };
  }

  enum(source, name, items) {
    const members = items.map((item) => {
      const { text } = item.literal;
      if (kebab(text) !== text || !/^[a-z][a-z0-9-]*$/.test(text)) {
        throw new Mistake(source, item, `the text \`${text}\` cannot be a case`, `write it in kebab case, as in \`${kebab(text) || "one"}\``);
      }
      return { name: text, docs: [], ty: null };
    });
    this.types.push({ name, docs: this.docs(this.owner(items[0])).lines, kind: "enum", members });
  }

  owner(node) {
    const { ts } = this;
    return ts.isTypeAliasDeclaration(node) || ts.isParameter(node) || ts.isSourceFile(node.parent) ? node : this.owner(node.parent);
  }

  record(source, name, node) {
    const { ts } = this;
    const members = node.members.map((member) => {
      if (!ts.isPropertySignature(member) || member.type === undefined) {
        throw new Mistake(source, member, `a member of \`${name}\` is not a property with a type`, "values cross, and functions do not");
      }
      const field = kebab(member.name.text);
      const ty = this.type(source, member.type, `${name}-${field}`);
      const isOptional = member.questionToken !== undefined && ty.option === undefined;
      return { name: field, docs: this.docs(member).lines, ty: isOptional ? { option: ty } : ty };
    });
    if (members.length === 0) throw new Mistake(source, node, `the type \`${name}\` has no properties`);
    this.types.push({ name, docs: this.docs(ts.isTypeLiteralNode(node) ? this.owner(node) : node).lines, kind: "record", members });
  }

  object(source, name, node) {
    const { ts } = this;
    const isExported = node.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported || !ENTRIES.includes(source.path)) {
      throw new Mistake(source, node, `the class \`${node.name.text}\` is not exported by the file with the stages`, "write `export` before it there");
    }
    const made = { name, docs: this.docs(node).lines, members: [] };
    this.objects.push(made);
    const methods = [];
    for (const member of node.members) {
      if (ts.isConstructorDeclaration(member)) {
        made.members.push({ role: "constructor", function: this.function(source, "new", member) });
      } else if (ts.isMethodDeclaration(member) && this.isPublic(member)) {
        made.members.push({ role: "method", function: this.function(source, member.name.text, member, "method") });
        methods.push(member.name.text);
      }
    }
    this.classes.push({ name: node.name.text, methods });
  }

  isPublic(member) {
    const { ts } = this;
    const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword, ts.SyntaxKind.StaticKeyword];
    return ts.isIdentifier(member.name) && !member.modifiers?.some((modifier) => hidden.includes(modifier.kind));
  }

  /** Returns the lines of a comment, the documentation of parameters, and whether it has the tag `@check`. */
  docs(node) {
    const { ts } = this;
    const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
    const text = (comment) => ts.getTextOfJSDocComment(comment) ?? "";
    const lines = comments.length ? text(comments.at(-1).comment).trim().split("\n") : [];
    const tags = ts.getJSDocTags(node);
    const params = tags.filter(ts.isJSDocParameterTag).map((tag) => {
      const words = text(tag.comment).replace(/^-\s*/, "");
      return [tag.name.getText(), words.split(/\s+/).join(" ").trim()];
    });
    const isCheck = tags.some((tag) => tag.tagName.text === "check");
    return { lines: lines.filter((line, at) => line !== "" || at > 0), params: Object.fromEntries(params), isCheck };
  }
}

// graphql-inspector: the server's SDL against the contract's. What is not built yet is only listed, unless --complete.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CriticalityLevel, coverage, diff, validate } from '@graphql-inspector/core';
import {
  Kind, Source, buildSchema, getOperationAST, isEnumType, isInputObjectType, isInterfaceType, isListType, isNonNullType,
  isObjectType, parse, print, typeFromAST,
} from 'graphql';
import { contractFolder, readOperations } from './contract.mjs';
import { complete, execute, fail, fetchSdl, finish, pass } from './lib.mjs';

// Changes that say no more than that a part is missing.
const MISSING = [
  'TYPE_REMOVED',
  'FIELD_REMOVED',
  'INPUT_FIELD_REMOVED',
  'SCHEMA_MUTATION_TYPE_CHANGED',
  'SCHEMA_SUBSCRIPTION_TYPE_CHANGED',
];

const folder = contractFolder();
const wanted = buildSchema(await readFile(join(folder, 'schema.graphql'), 'utf8'));
const built = buildSchema(await fetchSdl());

const hasFields = (type) => isObjectType(type) || isInterfaceType(type) || isInputObjectType(type);
const fieldsOf = (type) => (hasFields(type) ? Object.keys(type.getFields()) : []);
let fields = 0;
let there = 0;
for (const type of Object.values(wanted.getTypeMap()).filter(({ name }) => !name.startsWith('__'))) {
  const have = new Set(fieldsOf(built.getType(type.name)));
  for (const field of fieldsOf(type)) {
    fields += 1;
    if (have.has(field)) there += 1;
  }
}
console.log(`built: ${there} of ${fields} fields of the contract`);

const changes = await diff(wanted, built);
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
const missing = breaking.filter(isMissing);
const broken = breaking.filter((change) => !missing.includes(change));

if (broken.length === 0) pass();
for (const change of broken) fail(`${change.path} differs from the contract`, change.message);
console.log(`not built: ${missing.length} types, fields and input fields`);
if (complete) for (const change of missing) fail(`${change.path} is missing`, change.message);
for (const { path, message } of changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Dangerous)) {
  console.log(`dangerous, not counted: ${path}: ${message}`);
}

const operations = await readOperations(folder, built);
const valid = [];
const later = [];
for (const { client, name, text, errors } of operations) {
  const source = new Source(text, name);
  const found = errors.length > 0 ? errors : validate(built, [source]).flatMap((one) => one.errors.map(({ message }) => message));
  if (found.length === 0) {
    valid.push(source);
    pass();
  } else if (complete || !found.every(saysMissing)) {
    fail(`${client}: ${name} does not validate`, found.slice(0, 5).join('\n'));
  } else {
    later.push(name);
  }
}
console.log(`valid: ${valid.length} of ${operations.length} operations: ${valid.map(({ name }) => name).join(', ')}`);
if (later.length > 0) console.log(`not yet valid, only because parts are missing: ${later.join(', ')}`);

// What a client asks for every day has to leave room: with any values, for the cost depends on the sizes of pages alone.
for (const source of valid.filter(({ body }) => isForPost(getOperationAST(parse(body))))) {
  const { extensions } = await execute(source.body, sampleVariables(source.body));
  const { requested, limit } = extensions?.cost ?? {};
  if (requested <= limit / 2) pass();
  else fail(`${source.name} costs more than half the limit`, `${requested} of ${limit}`);
}

const covered = coverage(built, valid);
const perTypes = Object.values(covered.types);
const total = perTypes.reduce((sum, { fieldsCount }) => sum + fieldsCount, 0);
const hit = perTypes.reduce((sum, { fieldsCountCovered }) => sum + fieldsCountCovered, 0);
console.log(`coverage: the valid operations ask for ${hit} of the server's ${total} fields (${Math.round((100 * hit) / total)} %)`);
finish();

// Subscriptions are asked for over other transports, and files in forms of several parts: their costs are not seen here.
function isForPost({ operation, variableDefinitions }) {
  return operation !== 'subscription' && !variableDefinitions.some(({ type }) => print(type).startsWith('Upload'));
}

// A value for each variable that has to have one.
function sampleVariables(text) {
  const { variableDefinitions } = getOperationAST(parse(text));
  const needed = variableDefinitions.filter(({ type, defaultValue }) => type.kind === Kind.NON_NULL_TYPE && !defaultValue);
  return Object.fromEntries(needed.map(({ variable, type }) => [variable.name.value, sample(typeFromAST(built, type))]));
}

function sample(type) {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return [sample(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0].name;
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type) && field.defaultValue === undefined);
    return Object.fromEntries(needed.map((field) => [field.name, sample(field.type)]));
  }
  return { Int: 10, Float: 1, Boolean: true }[type.name] ?? 'x';
}

// An interface that is missing is missed by its members too.
function isMissing({ type, meta }) {
  if (type === 'OBJECT_TYPE_INTERFACE_REMOVED') return !built.getType(meta.removedInterfaceName);
  return MISSING.includes(type);
}

function saysMissing(message) {
  return /^Cannot query field|^Unknown type|^The schema has no|is not defined by type/.test(message);
}

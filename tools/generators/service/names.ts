export interface ServiceOptions {
  /** `gift-cards` */
  readonly name: string;
  /** `card` */
  readonly resource?: string;
  /** `cards` */
  readonly plural?: string;
}

/** Every spelling that the templates need of a service's name and of what it holds. */
export interface Names {
  /** `gift-cards`: folder, package, database, tokens. */
  readonly name: string;
  /** `giftCards`: what contracts are called in code. */
  readonly area: string;
  /** `GiftCards`: the module. */
  readonly Area: string;
  /** `GIFT_CARDS_URL` begins so. */
  readonly AREA: string;
  readonly resource: string;
  readonly Resource: string;
  readonly plural: string;
  readonly Plural: string;
  /** `giftCardsCard`: schema and messages, so that two services may hold something of the same name. */
  readonly item: string;
  readonly Item: string;
}

const WORDS = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;
const ONE_WORD = /^[a-z][a-z0-9]*$/;

/** Throws an Error that says what is allowed. */
export function namesOf({ name, resource = 'item', plural = `${resource}s` }: ServiceOptions): Names {
  if (!WORDS.test(name) || name.length > 40)
    throw new Error(
      `the service's name is ${JSON.stringify(name)}; allowed: lower case words with hyphens, 40 characters at most, such as gift-cards`,
    );
  for (const [option, word] of Object.entries({ resource, plural })) {
    if (!ONE_WORD.test(word) || word.length > 30)
      throw new Error(
        `--${option} is ${JSON.stringify(word)}; allowed: one lower case word, 30 characters at most, such as card`,
      );
  }
  if (resource === plural)
    throw new Error(`--plural is ${JSON.stringify(plural)}, the same as --resource; give another one`);
  const [first, ...rest] = name.split('-') as [string, ...string[]];
  const area = first + rest.map(capital).join('');
  return {
    name,
    area,
    Area: capital(area),
    AREA: name.replaceAll('-', '_').toUpperCase(),
    resource,
    Resource: capital(resource),
    plural,
    Plural: capital(plural),
    item: area + capital(resource),
    Item: capital(area) + capital(resource),
  };
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

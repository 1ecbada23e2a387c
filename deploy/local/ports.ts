import { createServer } from 'node:net';

/** Where everything listens under `npm start`: name in messages, environment variable, default. */
const portSettings = {
  kafka: ['Kafka', 'KAFKA_PORT', 19092],
  kafkaController: ["Kafka's controller", 'KAFKA_CONTROLLER_PORT', 19093],
  registry: ['the schema registry', 'REGISTRY_PORT', 18081],
  database: ['the database', 'MONGO_PORT', 27027],
  issuer: ['the token issuer', 'ISSUER_PORT', 4100],
  order: ['order', 'ORDER_PORT', 4101],
  reservation: ['reservation', 'RESERVATION_PORT', 4102],
  stock: ['stock', 'STOCK_PORT', 4103],
  'sync-policy': ['sync-policy', 'SYNC_POLICY_PORT', 4104],
  'connector-shopify': ['connector-shopify', 'CONNECTOR_SHOPIFY_PORT', 4105],
  'connector-etsy': ['connector-etsy', 'CONNECTOR_ETSY_PORT', 4106],
  sandboxContract: ["the sandbox's marketplaces", 'SANDBOX_CONTRACT_PORT', 4110],
  sandboxControl: ["the sandbox's control", 'SANDBOX_CONTROL_PORT', 4111],
} as const satisfies Record<string, readonly [string, string, number]>;

export type PortName = keyof typeof portSettings;
export type Ports = Readonly<Record<PortName, number>>;

const names = Object.keys(portSettings) as PortName[];

/** @throws when a variable does not hold a port, or two hold the same */
export function readPorts(env: NodeJS.ProcessEnv): Ports {
  const taken = new Map<number, string>();
  const entries = names.map((name) => {
    const [, variable, standard] = portSettings[name];
    const given = env[variable];
    const port = given === undefined || given === '' ? standard : Number(given);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${variable}=${given} is not a port (1 to 65535)`);
    const other = taken.get(port);
    if (other) throw new Error(`${other} and ${variable} both name port ${port}; give each its own`);
    taken.set(port, variable);
    return [name, port] as const;
  });
  return Object.fromEntries(entries) as Ports;
}

/** One line for each port that somebody else listens on, saying what wanted it and how to choose another. */
export async function portsInUse(ports: Ports, wanted: readonly PortName[] = names): Promise<string[]> {
  const lines = await Promise.all(
    wanted.map(async (name) => {
      const [title, variable] = portSettings[name];
      const busy = !(await isFree(ports[name]));
      return busy
        ? `Port ${ports[name]}, wanted for ${title}, is in use: stop what listens there, or set ${variable} to another.`
        : undefined;
    }),
  );
  return lines.filter((line) => line !== undefined);
}

/** Ports that nobody listens on, below the range from which the system serves outgoing connections (else one could take them first). */
export async function freePorts(): Promise<Ports> {
  const chosen: Partial<Record<PortName, number>> = {};
  const taken = new Set<number>();
  for (const name of names) {
    let port: number;
    do port = 20_000 + Math.floor(Math.random() * 12_000);
    while (taken.has(port) || !(await isFree(port)));
    taken.add(port);
    chosen[name] = port;
  }
  return chosen as Ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

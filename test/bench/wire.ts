import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** User and system time of a process so far, as the kernel counts it (100 ticks a second). */
export function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** The same of the processes that it has started and that run. */
export function cpuBeside(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuMicroseconds(Number(child)), 0);
}

/** A keep-alive connection to a server on loopback. */
export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One request and its whole answer; the status. A client that costs little, so that the server is what is measured. */
export function exchange(socket: Socket, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = '';
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /content-length: (\d+)/i.exec(received.slice(0, end))?.[1];
      if (received.length < end + 4 + Number(length)) return;
      socket.off('data', take);
      socket.off('close', closed);
      resolve(Number(received.slice(9, 12)));
    };
    const closed = () => reject(new Error('the server closed the connection'));
    socket.on('data', take);
    socket.once('close', closed);
    socket.write(bytes);
  });
}

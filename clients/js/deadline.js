/**
 * Do `work`, or reject with a TimeoutError after `ms`. `AbortSignal.timeout` alone will
 * not do: while a body is read, Node may have lost sight of the signal.
 *
 * @template T
 * @param {number} ms
 * @param {(signal: AbortSignal) => Promise<T>} work
 * @returns {Promise<T>}
 */
export function within(ms, work) {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const reason = new DOMException("no answer in time", "TimeoutError");
      controller.abort(reason);
      reject(reason);
    }, ms);
    work(controller.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

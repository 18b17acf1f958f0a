import { expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { atTime, cronText, everyPeriod, fromCron, jenkinsText, shortestGap, systemdText } from './calendar.js';

it.each([
  ['1m', 7, '* * * * *', '*-*-* *:*:00', '*'],
  ['15m', 7, '7-52/15 * * * *', '*-*-* *:07..52/15:00', 'H/15'],
  ['30m', 47, '17,47 * * * *', '*-*-* *:17,47:00', 'H/30'],
  ['1h', 67, '7 * * * *', '*-*-* *:07:00', 'H(7-8)'],
  ['6h', 67, '7 1-19/6 * * *', '*-*-* 01..19/6:07:00', 'H(7-8)'],
  ['1d', 1500, '0 1 * * *', '*-*-* 01:00:00', 'H(0-1)'],
  ['7d', 1500, '0 1 * * 1', 'Mon *-*-* 01:00:00', 'H(0-1)'],
])('%s starts evenly, from a minute of its own', (text, offset, cron, systemd, jenkins) => {
  const calendar = everyPeriod(text, offset);

  expect(cronText(calendar)).toBe(cron);
  expect(systemdText(calendar)).toBe(systemd);
  expect(jenkinsText(calendar, 60).split(' ')[0]).toBe(jenkins);
});

it.each([
  ['02:30', '30 2 * * *', '*-*-* 02:30:00'],
  ['Sun 2:30', '30 2 * * 0', 'Sun *-*-* 02:30:00'],
  ['mon-fri 23:05', '5 23 * * 1-5', 'Mon,Tue,Wed,Thu,Fri *-*-* 23:05:00'],
  ['Sat,Sun 00:00', '0 0 * * 0,6', 'Sat,Sun *-*-* 00:00:00'],
])('at %s', (text, cron, systemd) => {
  expect(cronText(atTime(text))).toBe(cron);
  expect(systemdText(atTime(text))).toBe(systemd);
});

it.each([
  ['30 2 1 * *', '30 2 1 * *', '*-*-01 02:30:00'],
  ['*/20 8-18 * * 1-5', '0-40/20 8-18 * * 1-5', 'Mon,Tue,Wed,Thu,Fri *-*-* 08..18:00..40/20:00'],
  ['0 0 * jan,jul 7', '0 0 * 1,7 0', 'Sun *-01,07-* 00:00:00'],
  ['0 0 29 2 *', '0 0 29 2 *', '*-02-29 00:00:00'],
  ['5/20 * * * *', '5-45/20 * * * *', '*-*-* *:05..45/20:00'],
  ['weekly', '0 0 * * 0', 'Sun *-*-* 00:00:00'],
  ['@monthly', '0 0 1 * *', '*-*-01 00:00:00'],
])('the crontab fields %s', (text, cron, systemd) => {
  expect(cronText(fromCron(text))).toBe(cron);
  expect(systemdText(fromCron(text))).toBe(systemd);
});

it('lets Jenkins choose a minute within the jitter, and not beyond the hour', () => {
  expect(jenkinsText(atTime('02:30'), 300)).toBe('H(30-35) 2 * * *');
  expect(jenkinsText(atTime('02:58'), 300)).toBe('H(58-59) 2 * * *');
  expect(jenkinsText(atTime('02:30'), 0)).toBe('30 2 * * *');
});

it('knows the shortest time between two starts', () => {
  expect(shortestGap(everyPeriod('5m', 3))).toBe(5);
  expect(shortestGap(fromCron('0,58 * * * *'))).toBe(2);
  expect(shortestGap(fromCron('10 * * * *'))).toBe(60);
  expect(shortestGap(fromCron('0,58 2 * * *'))).toBe(58);
  expect(shortestGap(fromCron('30 2,23 * * *'))).toBe(180);
  expect(shortestGap(atTime('02:30'))).toBe(24 * 60);
});

it.each([
  () => everyPeriod('7m', 0),
  () => everyPeriod('90m', 0),
  () => everyPeriod('30s', 0),
  () => everyPeriod('often', 0),
  () => everyPeriod('2w', 0),
  () => atTime('24:00'),
  () => atTime('2.30'),
  () => atTime('Som 02:30'),
  () => fromCron('* * * *'),
  () => fromCron('60 * * * *'),
  () => fromCron('*/0 * * * *'),
  () => fromCron('5-1 * * * *'),
  () => fromCron('0 0 1 * 1'),
  () => fromCron('0 0 0 * *'),
  () => fromCron('0 0 31 2,4 *'),
])('refuses what is no such time: %s', (read) => {
  expect(read).toThrow(UserError);
});

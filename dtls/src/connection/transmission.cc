#include "connection/transmission.h"

#include <algorithm>

#include "message/ack.h"

namespace sluice::dtls::connection {
namespace {

std::optional<Transmit> write_flight(const Shared& shared, flight::ReliableFlight& flight,
                                     const Route& route, MutableBytes out) {
  const auto written = flight.write_datagram(shared.records, out, route.mtu);
  shared.counters.count_records_sent(written.records);
  if (written.bytes == 0) return std::nullopt;
  return Transmit{written.bytes, flight.path().value_or(route.path)};
}

std::optional<Transmit> write_ack(const Shared& shared, Acknowledgements& acknowledgements,
                                  const Route& route, MutableBytes out) {
  record::RecordLayer& records = shared.records;
  const wire::Epoch epoch = records.write_epoch();
  const std::size_t room = std::min(out.size(), route.mtu);
  const record::RecordSize size_of_record = records.size_of(epoch);
  const std::size_t limit = message::numbers_in_ack(
      std::min(room - std::min(room, size_of_record.overhead()), size_of_record.max_contents()));
  Buffer contents;
  wire::Writer writer(contents);
  message::put_ack(writer, acknowledgements.take(limit));
  if (!writer.ok()) return std::nullopt;
  const auto size = records.seal(epoch, wire::ContentType::ack, contents, out.first(room));
  if (!size) return std::nullopt;
  shared.counters.count_records_sent(1);
  return Transmit{*size, acknowledgements.path().value_or(route.path)};
}

std::optional<Transmit> write_alert(const Shared& shared, const QueuedAlert& alert,
                                    const Route& route, MutableBytes out) {
  const auto size =
      shared.records.seal(alert.epoch, wire::ContentType::alert, alert.message.encode(),
                          out.first(std::min(out.size(), route.mtu)));
  if (!size) return std::nullopt;
  const PathId path = alert.path.value_or(route.path);
  shared.outputs.drop_alert();
  shared.counters.count_records_sent(1);
  return Transmit{*size, path};
}

// Padding makes the datagram no longer than `out` and `limit`.
std::optional<Transmit> seal_path_message(const Shared& shared, const message::PathMessage& message,
                                          PathId path, std::size_t limit, MutableBytes out) {
  record::RecordLayer& records = shared.records;
  const auto size = records.seal(records.write_epoch(), wire::ContentType::return_routability_check,
                                 message.encode(), out.first(std::min(out.size(), limit)));
  if (!size) return std::nullopt;
  shared.counters.count_records_sent(1);
  return Transmit{*size, path};
}

std::optional<Transmit> write_challenge(const Shared& shared, PathValidation& validation,
                                        std::size_t mtu, MutableBytes out) {
  // RFC 9853 section 5.3: "Each path_challenge message MUST contain random data."
  message::PathMessage challenge{message::PathMessageType::path_challenge};
  const auto random = shared.library.random(challenge.cookie);
  const auto sent = random ? seal_path_message(shared, challenge, validation.path_of_challenge(),
                                               std::min(mtu, validation.limit()), out)
                           : std::nullopt;
  if (sent) {
    validation.on_sent(challenge.cookie, sent->size);
    shared.counters.count_path_challenge();
  } else {
    validation.skip();
  }
  return sent;
}

// There is one to be written. One that cannot be sealed is dropped: the peer asks again, or the
// next challenge follows.
std::optional<Transmit> write_path_message(const Shared& shared, PathChecks& checks,
                                           std::size_t mtu, MutableBytes out) {
  // The last numbers of a key, or before a snapshot, are not for this: a stranger can cause it.
  if (!shared.records.takes_data()) {
    checks.drop_output();
    return std::nullopt;
  }
  if (const auto answer = checks.take_answer()) {
    return seal_path_message(shared, answer->message, answer->path, std::min(mtu, answer->limit),
                             out);
  }
  return write_challenge(shared, *checks.validation, mtu, out);
}

// Null: none of its messages is to be written now.
PathChecks* path_checks_to_write(const Outputs& outputs, const record::RecordLayer& records) {
  PathChecks* checks = outputs.path_checks();
  return checks != nullptr && checks->has_output(path_message_size(records)) ? checks : nullptr;
}

}  // namespace

std::size_t path_message_size(const record::RecordLayer& records) {
  return records.size_of(records.write_epoch()).unpadded(message::PathMessage::kSize);
}

bool has_output(const Outputs& outputs, const record::RecordLayer& records, const Phase& phase,
                Role role) {
  return outputs.alert() != nullptr || path_checks_to_write(outputs, records) != nullptr ||
         !sendable(phase, role).empty();
}

std::optional<Transmit> write_datagram(const Shared& shared, const Sendable& sendable,
                                       const Route& route, MutableBytes out) {
  // RFC 9853 section 5.4: answers MUST NOT be delayed.
  if (auto* checks = path_checks_to_write(shared.outputs, shared.records)) {
    return write_path_message(shared, *checks, route.mtu, out);
  }
  const bool has_ack = sendable.acknowledgements != nullptr;
  if (has_ack && (sendable.is_ack_first || sendable.flight == nullptr)) {
    return write_ack(shared, *sendable.acknowledgements, route, out);
  }
  if (sendable.flight != nullptr) return write_flight(shared, *sendable.flight, route, out);
  const QueuedAlert* alert = shared.outputs.alert();
  return alert != nullptr ? write_alert(shared, *alert, route, out) : std::nullopt;
}

}  // namespace sluice::dtls::connection

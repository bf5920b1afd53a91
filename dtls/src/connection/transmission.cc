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

}  // namespace

std::optional<Transmit> write_datagram(const Shared& shared, const Sendable& sendable,
                                       const Route& route, MutableBytes out) {
  const bool has_ack = sendable.acknowledgements != nullptr;
  if (has_ack && (sendable.is_ack_first || sendable.flight == nullptr)) {
    return write_ack(shared, *sendable.acknowledgements, route, out);
  }
  if (sendable.flight != nullptr) return write_flight(shared, *sendable.flight, route, out);
  const QueuedAlert* alert = shared.outputs.alert();
  return alert != nullptr ? write_alert(shared, *alert, route, out) : std::nullopt;
}

}  // namespace sluice::dtls::connection

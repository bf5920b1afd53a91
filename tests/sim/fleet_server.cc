#include "sim/fleet_server.h"

#include <utility>

#include "support/endpoints.h"

namespace sluice::test {

using dtls::Buffer;
using dtls::Bytes;
using dtls::ConnectionHandle;
using dtls::UdpPath;
using session_stores::Failed;
using session_stores::Outcome;
using session_stores::PutDone;
using session_stores::StoreError;
using session_stores::TakeDone;

namespace {

constexpr std::size_t kPathSize = 6;

// The path in front of the state.
Buffer packed(Bytes state, const UdpPath& path) {
  Buffer bytes;
  for (const auto octet : std::get<dtls::Ipv4Address>(path.peer.address)) {
    bytes.push_back(static_cast<std::byte>(octet));
  }
  bytes.push_back(static_cast<std::byte>(path.peer.port >> 8));
  bytes.push_back(static_cast<std::byte>(path.peer.port & 0xff));
  bytes.insert(bytes.end(), state.begin(), state.end());
  return bytes;
}

UdpPath path_in(Bytes bytes) {
  const auto at = [&](std::size_t place) { return std::to_integer<std::uint8_t>(bytes[place]); };
  return {.socket = dtls::SocketId{1},
          .peer = {dtls::Ipv4Address{at(0), at(1), at(2), at(3)},
                   static_cast<std::uint16_t>(at(4) << 8 | at(5))}};
}

bool has_failed(const Outcome& outcome, StoreError with) {
  const auto* failed = std::get_if<Failed>(&outcome);
  return failed != nullptr && failed->error == with;
}

}  // namespace

FleetServer::FleetServer(unsigned number, Surroundings surroundings,
                         const dtls::EndpointOptions& options)
    : number_(number),
      around_(std::move(surroundings)),
      config_(options.server),
      endpoint_(must(dtls::Endpoint::make(options, around_.environment))) {}

void FleetServer::receive(Buffer datagram, const UdpPath& path) {
  endpoint_.handle_datagram(datagram, path, around_.schedule.now());
  drain();
}

void FleetServer::handle_timeout() {
  endpoint_.handle_timeout(around_.schedule.now());
  drain();
}

Buffer FleetServer::id_of(ConnectionHandle handle) const {
  return copy_of(endpoint_.find(handle)->own_connection_ids().front().bytes());
}

void FleetServer::drain() {
  std::array<std::byte, 1500> out{};
  while (const auto data = endpoint_.poll_data()) {
    around_.on_data(data->bytes);
    const auto answer = endpoint_.seal_datagram(data->connection, data->bytes, out);
    if (answer) around_.send(answer->path, copy_of(Bytes(out).first(answer->size)));
  }
  while (auto event = endpoint_.poll_event()) on_event(*event);
  while (const auto sent = endpoint_.poll_transmit(out)) {
    around_.send(sent->path, copy_of(Bytes(out).first(sent->size)));
  }
}

void FleetServer::on_event(dtls::EndpointEvent& event) {
  const ConnectionHandle handle = event.connection;
  if (std::holds_alternative<dtls::Connected>(event.what)) {
    around_.places.begin(id_of(handle), number_);
    sessions_[handle] = id_of(handle);
  } else if (const auto* wanted = std::get_if<dtls::SessionWanted>(&event.what)) {
    take(*wanted);
  } else if (std::holds_alternative<dtls::SessionRestored>(event.what)) {
    sessions_[handle] = id_of(handle);
    ++counts_.woken;
  } else if (auto* aged = std::get_if<dtls::SessionAged>(&event.what)) {
    const Buffer id = sessions_.extract(handle).mapped();
    around_.places.move(id, server_place(number_), Place::moving);
    put(std::make_shared<Moving>(id, std::move(aged->state), aged->path));
  } else if (std::holds_alternative<dtls::Ended>(event.what)) {
    const auto known = sessions_.extract(handle);
    if (!known.empty()) around_.places.move(known.mapped(), server_place(number_), Place::lost);
  }
}

// ---- to the store

void FleetServer::put(const MovingPtr& moving) {
  const Buffer bytes = packed(moving->state.bytes(), moving->path);
  const auto sealed = must(around_.keys.seal(around_.environment, bytes, moving->id));
  const auto is_done = std::make_shared<bool>(false);
  around_.store.put(
      moving->id, sealed, kLifetime,
      [this, moving, is_done](const Outcome& outcome) {
        *is_done = std::holds_alternative<PutDone>(outcome);
        if (*is_done) around_.places.move(moving->id, Place::moving, Place::store);
      },
      [this, moving, is_done](const Outcome& outcome) {
        if (std::holds_alternative<PutDone>(outcome)) return;
        if (!has_failed(outcome, StoreError::outcome_unknown)) return keep(moving);
        // Whether the store has it or not, it is no longer this server's.
        ++counts_.lost;
        if (!*is_done) around_.places.move(moving->id, Place::moving, Place::lost);
      });
}

void FleetServer::keep(const MovingPtr& moving) {
  ++counts_.kept;
  const auto handle =
      endpoint_.adopt(config_, std::move(moving->state), moving->path, around_.schedule.now());
  if (!handle) return fail("a session that cannot stay: " + to_string(handle.error()));
  sessions_[*handle] = moving->id;
  around_.places.move(moving->id, Place::moving, server_place(number_));
  drain();
}

// ---- from the store

void FleetServer::take(const dtls::SessionWanted& wanted) {
  const Buffer id = copy_of(wanted.connection_id.bytes());
  const auto is_taken = std::make_shared<bool>(false);
  around_.store.take(
      id,
      [this, id, is_taken](const Outcome& outcome) {
        const auto* done = std::get_if<TakeDone>(&outcome);
        *is_taken = done != nullptr && !done->session.empty();
        if (*is_taken) around_.places.move(id, Place::store, Place::moving);
      },
      [this, id, is_taken, number = wanted.wanted](const Outcome& outcome) {
        const auto* done = std::get_if<TakeDone>(&outcome);
        if (done != nullptr && !done->session.empty()) return on_taken(number, id, done->session);
        if (has_failed(outcome, StoreError::outcome_unknown)) ++counts_.lost;
        if (*is_taken) around_.places.move(id, Place::moving, Place::lost);
        if (done != nullptr) ++counts_.none;
        drop(number);
      });
}

void FleetServer::drop(dtls::WantedSession wanted) {
  endpoint_.drop_wanted(wanted, around_.schedule.now());
  drain();
}

void FleetServer::on_taken(dtls::WantedSession wanted, const Buffer& id, Bytes sealed) {
  const auto opened = must(around_.keys.open(around_.environment, sealed, id));
  const Bytes bytes = opened.bytes();
  const auto moving = std::make_shared<Moving>(
      id, must(dtls::SessionState::parse(bytes.subspan(kPathSize))), path_in(bytes));
  const auto restored = endpoint_.restore_wanted(wanted, config_, std::move(moving->state),
                                                 moving->path, around_.schedule.now());
  if (restored) {
    around_.places.move(id, Place::moving, server_place(number_));
    return drain();
  }
  if (restored.error().code != dtls::Errc::not_wanted) {
    return fail("a session that is not restored: " + to_string(restored.error()));
  }
  // The device repeats itself.
  ++counts_.late;
  keep(moving);
}

void FleetServer::check_places() const {
  for (const auto& [handle, id] : sessions_) {
    if (endpoint_.find(handle) == nullptr || id_of(handle) != id ||
        around_.places.of(id) != server_place(number_)) {
      around_.places.fail("a server has a session that is elsewhere");
    }
  }
  if (around_.places.count(server_place(number_)) != sessions_.size()) {
    around_.places.fail("a session is at no server");
  }
}

}  // namespace sluice::test

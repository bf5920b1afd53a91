// An Endpoint whose sessions sleep elsewhere, the devices that wake them, and all that may go wrong
// between: datagrams that are altered, repeated, reordered and made up, and a store that is late,
// lies, or gives an old state. Its bounds hold, each session has one owner, what attackers send
// brings no data, and what the store has not spoilt goes on.
#include <sluice/dtls/endpoint.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "fuzz/sleeping_devices.h"
#include "support/endpoints.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;
using namespace std::chrono_literals;

constexpr std::size_t kMaxWanted = 2;
constexpr std::size_t kLimit = 2;
constexpr Duration kTimeout = 2s;

enum class Step : std::uint8_t {
  datagram,  // address, length, bytes: from anybody
  made_up,   // address, ID, bits: a record of nobody's with this ID; 1: DTLS 1.3
  send,      // device: seals data
  deliver,   // device and address, which of those sent, offset, mask, bits: one byte is changed
             // unless the mask is 0; 1: it is not used up
  answers,   // device: receives what the Endpoint has sent it
  time,      // tenths of a second
  wake,      // which question, which state, its arguments, bits: answers; 1: without the path
  deny,      // which question: there is no such session
  adopt,     // which state, its arguments, address
  use,       // device, what: of its connection
};
constexpr unsigned kSteps = 10;

// Which state the store gives out; its arguments are a device, and for altered ones offset and
// mask.
enum class Which : std::uint8_t { newest, old, altered };

class Run {
 public:
  explicit Run(std::uint8_t choices)
      : world_(sleeping_devices((choices & 1) != 0 ? ReturnRoutability::basic
                                                   : ReturnRoutability::none)),
        environment_(fresh_environment()),
        endpoint_(must(Endpoint::make(make_options(choices, world_), environment_))) {
    for (unsigned i = 0; i < kDevices; ++i) {
      const Buffer& session = world_.sessions[i].server;
      known_.push_back({.device = Device(world_, i, now_),
                        .stored = must(SessionState::parse(session)),
                        .old = session,
                        .path = device_path(i)});
    }
  }

  void step(wire::Reader& input) {
    switch (static_cast<Step>(input.u8() % kSteps)) {
      case Step::datagram: {
        const unsigned address = input.u8();
        return receive(take(input, input.u16()), address);
      }
      case Step::made_up: {
        const unsigned address = input.u8();
        const std::byte id{input.u8()};
        return receive(made_up(id, (input.u8() & 1) != 0), address);
      }
      case Step::send:
        return known_[input.u8() % kDevices].device.send();
      case Step::deliver:
        return deliver(input);
      case Step::answers:
        return known_[input.u8() % kDevices].device.receive_answers(now_);
      case Step::time:
        return pass(100ms * input.u8());
      case Step::wake:
        return wake(input);
      case Step::deny:
        return deny(input.u8());
      case Step::adopt:
        return adopt(input);
      case Step::use: {
        const unsigned device = input.u8() % kDevices;
        return use(device, input.u8());
      }
    }
  }

  // What was not spoilt is used once more. Then nothing is left.
  void finish() {
    for (const auto& [handle, owner] : std::map(live_)) {
      if (owner.is_genuine) {
        leave(handle);
      } else {
        SLUICE_CHECK(endpoint_.abort(handle).has_value());
      }
      drain();
    }
    for (unsigned i = 0; i < kDevices; ++i) {
      if (is_well(i)) check_works(i);
    }
    pass(kTimeout);
    SLUICE_CHECK(endpoint_.size() == 0 && !endpoint_.next_timeout());
    const auto& counted = endpoint_.statistics();
    SLUICE_CHECK(counted.wanted == ended_questions_ + counted.wanted_expired);
    std::uint64_t ended = counted.aged;
    for (const auto count : counted.ended) ended += count;
    SLUICE_CHECK(ended == counted.adopted && ended == gone_.size());
  }

 private:
  struct Known {
    Device device;
    std::optional<SessionState> stored;  // by the last owner of the session
    Buffer old;                          // of a session that went on after it
    UdpPath path;
    bool is_spoilt = false;  // another state than the newest was restored
    bool is_over = false;
  };
  struct Owner {
    unsigned device = 0;
    bool is_genuine = true;
  };
  struct Question {
    ConnectionId id;
    Instant deadline;
  };

  static EndpointOptions make_options(std::uint8_t choices, const SleepingDevices& world) {
    EndpointOptions options;
    options.server = world.server;
    options.peer_move = PeerMove::newer_record;
    options.max_connections = kLimit;
    if ((choices & 2) != 0) options.max_live = 1;
    if ((choices & 4) != 0) options.age_after = 5s;
    if ((choices & 8) != 0) options.max_timers_per_call = 1;
    if ((choices & 16) != 0) options.displace_silent_after = 1s;
    options.waking = {.max_wanted = kMaxWanted, .timeout = kTimeout};
    if ((choices & 32) != 0) options.waking.max_datagrams_each = 1;
    if ((choices & 64) != 0) options.waking.max_bytes = 400;
    return options;
  }

  // ---- datagrams

  void receive(Buffer datagram, unsigned address) {
    endpoint_.handle_datagram(datagram, device_path(address % kAddresses), now_);
    ++datagrams_;
    drain();
  }

  static Buffer made_up(std::byte id, bool is13) {
    // RFC 9147 section 4, RFC 9146 section 4.
    Buffer record = is13 ? test::from_hex("3f 00 0001 0014")
                         : test::from_hex("19 fefd 0001 0000 0000 0001 00 0014");
    record[is13 ? 1 : 11] = id;
    record.resize(record.size() + 20, std::byte{7});
    return record;
  }

  void deliver(wire::Reader& input) {
    const unsigned value = input.u8();
    const std::size_t which = input.u8();
    const std::size_t offset = input.u8();
    const auto mask = static_cast<std::byte>(input.u8());
    const bool stays = (input.u8() & 1) != 0;
    Buffer datagram = known_[value % kDevices].device.take_sent(which, stays);
    if (datagram.empty()) return;
    datagram[offset % datagram.size()] ^= mask;
    receive(std::move(datagram), value / kDevices);
  }

  void pass(Duration time) {
    now_ += time;
    // Each call fires at least one.
    int calls = 0;
    for (auto next = std::optional(now_); next && *next <= now_; next = endpoint_.next_timeout()) {
      SLUICE_CHECK(++calls <= 64);
      endpoint_.handle_timeout(now_);
      drain();
    }
  }

  // ---- states

  struct Chosen {
    unsigned device;
    Which which;
    SessionState state;
  };
  std::optional<Chosen> choose(wire::Reader& input) {
    const auto which = static_cast<Which>(input.u8() % 3U);
    const unsigned number = input.u8() % kDevices;
    Known& known = known_[number];
    if (which == Which::newest) {
      if (!known.stored) return std::nullopt;
      return Chosen{number, which, *std::exchange(known.stored, std::nullopt)};
    }
    Buffer bytes = known.old;
    if (which == Which::altered) {
      if (known.stored) bytes = test::copy_of(known.stored->bytes());
      const std::size_t offset = input.u16();
      bytes[offset % bytes.size()] ^= static_cast<std::byte>(input.u8());
    }
    auto state = SessionState::parse(bytes);
    if (!state) {
      SLUICE_CHECK(state.error().code == Errc::decode_error);
      return std::nullopt;
    }
    return Chosen{number, which, *std::move(state)};
  }

  // Whether the Endpoint has no reason to refuse it.
  [[nodiscard]] bool has_room_for(const Chosen& chosen) const {
    const auto ids = chosen.state.own_connection_ids();
    const auto is_here = [&](const ConnectionId& id) { return owner_of(id) != kNoConnection; };
    return chosen.which == Which::newest && endpoint_.size() < kLimit &&
           std::ranges::none_of(ids, is_here);
  }
  [[nodiscard]] ConnectionHandle owner_of(const ConnectionId& id) const {
    for (const auto& [handle, owner] : live_) {
      if (endpoint_.find(handle)->has_own_connection_id(id.bytes())) return handle;
    }
    return kNoConnection;
  }

  // `bytes`: those of the state before.
  void after_entering(Chosen& chosen, const Buffer& bytes, bool has_entered) {
    Known& known = known_[chosen.device];
    if (!has_entered) {
      SLUICE_CHECK(std::ranges::equal(chosen.state.bytes(), bytes));
      if (chosen.which == Which::newest) known.stored = std::move(chosen.state);
      return;
    }
    known.old = bytes;
    known.is_spoilt |= chosen.which != Which::newest;
  }

  void end_question(WantedSession number) {
    const auto found = open_.find(number);
    if (found == open_.end()) return;
    ++ended_questions_;
    open_.erase(found);
  }
  // The session is here: nobody asks for it any more.
  void end_questions_for(const std::vector<ConnectionId>& ids) {
    for (const auto& [number, question] : std::map(open_)) {
      if (std::ranges::find(ids, question.id) != ids.end()) end_question(number);
    }
  }

  // Those that have ended count, too.
  std::optional<WantedSession> any_question(unsigned number) const {
    if (asked_ == 0) return std::nullopt;
    return WantedSession{1 + number % asked_};
  }

  void wake(wire::Reader& input) {
    const auto question = any_question(input.u8());
    auto chosen = choose(input);
    const bool has_path = (input.u8() & 1) == 0;
    if (!chosen) return;
    if (!question) return after_entering(*chosen, test::copy_of(chosen->state.bytes()), false);
    const Buffer bytes = test::copy_of(chosen->state.bytes());
    const auto ids = chosen->state.own_connection_ids();
    const auto open = open_.find(*question);
    const bool is_asked =
        open != open_.end() && std::ranges::find(ids, open->second.id) != ids.end();
    const bool must_enter = is_asked && has_path && has_room_for(*chosen);
    const auto path = has_path ? std::optional(known_[chosen->device].path) : std::nullopt;
    const auto outcome =
        endpoint_.restore_wanted(*question, world_.server, std::move(chosen->state), path, now_);
    SLUICE_CHECK(outcome || !must_enter);
    SLUICE_CHECK(!outcome || is_asked);
    if (outcome) {
      to_restore_ = Owner{chosen->device, chosen->which == Which::newest};
      end_questions_for(ids);
    } else {
      ++refused_;
      end_question(*question);
    }
    after_entering(*chosen, bytes, outcome.has_value());
    drain();
    SLUICE_CHECK(!to_restore_);
  }

  void deny(unsigned number) {
    const auto question = any_question(number);
    if (!question) return;
    endpoint_.drop_wanted(*question, now_);
    end_question(*question);
    drain();
  }

  void adopt(wire::Reader& input) {
    auto chosen = choose(input);
    const UdpPath path = device_path(input.u8() % kAddresses);
    if (!chosen) return;
    const Buffer bytes = test::copy_of(chosen->state.bytes());
    const auto ids = chosen->state.own_connection_ids();
    const bool must_enter = has_room_for(*chosen);
    const auto handle = endpoint_.adopt(world_.server, std::move(chosen->state), path, now_);
    SLUICE_CHECK(handle || !must_enter);
    if (handle) {
      enters(*handle, {chosen->device, chosen->which == Which::newest});
      end_questions_for(ids);
    }
    after_entering(*chosen, bytes, handle.has_value());
    drain();
  }

  void enters(ConnectionHandle handle, Owner owner) {
    SLUICE_CHECK(!live_.contains(handle) && !gone_.contains(handle));
    live_.emplace(handle, owner);
    ++entered_;
  }

  // ---- a connection

  std::optional<ConnectionHandle> connection_of(unsigned device) const {
    for (const auto& [handle, owner] : live_) {
      if (owner.device == device) return handle;
    }
    return std::nullopt;
  }

  void leave(ConnectionHandle handle) {
    const Owner owner = live_.at(handle);
    known_[owner.device].path = *endpoint_.path_of(handle);
    keep(owner, must(endpoint_.export_session(handle, {}, now_)));
  }
  void keep(Owner owner, SessionState state) {
    if (owner.is_genuine) known_[owner.device].stored = std::move(state);
  }

  void use(unsigned number, unsigned what) {
    Device& device = known_[number].device;
    const auto handle = connection_of(number);
    if (what % 6 == 0) {
      static_cast<void>(device.connection().request_connection_ids(1 + what % 5, now_));
      return device.receive_answers(now_);
    }
    if (what % 6 == 1) return static_cast<void>(device.connection().change_connection_id());
    if (!handle) return;
    if (what % 6 == 2) {
      leave(*handle);
    } else if (what % 6 == 3) {
      Buffer out(kMaxDatagram);
      const auto sealed = endpoint_.seal(*handle, test::bytes_of("answer"), out);
      if (!sealed) return;
      out.resize(sealed->size);
      queue_answer(*handle, std::move(out));
    } else if (what == 4) {
      SLUICE_CHECK(endpoint_.close(*handle, now_).has_value());
    } else if (what == 5) {
      SLUICE_CHECK(endpoint_.abort(*handle).has_value());
    } else {
      SLUICE_CHECK(endpoint_.set_tag(*handle, test::bytes_of("another name")).has_value());
    }
    drain();
  }

  // ---- outputs

  void queue_answer(ConnectionHandle handle, Buffer datagram) {
    const auto owner = live_.find(handle);
    if (owner != live_.end()) known_[owner->second.device].device.queue_answer(std::move(datagram));
  }

  void drain() {
    std::array<std::byte, kMaxDatagram> out{};
    while (const auto sent = endpoint_.poll_transmit(out)) {
      if (!sent->connection) continue;  // to a stranger's ClientHello
      queue_answer(*sent->connection, test::copy_of(Bytes(out).first(sent->size)));
    }
    // Sessions are restored before their data come.
    std::vector<EndpointData> all;
    while (const auto data = endpoint_.poll_data()) all.push_back(*data);
    for (const EndpointData& data : all) on_data(data);
    while (auto event = endpoint_.poll_event()) on_event(*event);
    check_bounds();
  }

  void on_data(const EndpointData& data) {
    SLUICE_CHECK(live_.contains(data.connection));
    Known& known = known_[live_.at(data.connection).device];
    SLUICE_CHECK(known.device.on_delivered(data.bytes) || known.is_spoilt);
  }

  void on_event(EndpointEvent& event) {
    const ConnectionHandle handle = event.connection;
    if (const auto* wanted = std::get_if<SessionWanted>(&event.what)) return on_wanted(*wanted);
    if (std::holds_alternative<SessionRestored>(event.what)) {
      SLUICE_CHECK(to_restore_.has_value());
      return enters(handle, *std::exchange(to_restore_, std::nullopt));
    }
    SLUICE_CHECK(live_.contains(handle));
    const Owner owner = live_.at(handle);
    Known& known = known_[owner.device];
    if (auto* aged = std::get_if<SessionAged>(&event.what)) {
      known.path = aged->path;
      keep(owner, std::move(aged->state));
    } else if (const auto* ended = std::get_if<Ended>(&event.what)) {
      SLUICE_CHECK(!owner.is_genuine || ended->reason != EndReason::failed);
      if (owner.is_genuine && ended->reason != EndReason::exported) known.is_over = true;
    } else {
      return;
    }
    live_.erase(handle);
    gone_.insert(handle);
  }

  void on_wanted(const SessionWanted& wanted) {
    SLUICE_CHECK(wanted.wanted == WantedSession{++asked_});
    SLUICE_CHECK(owner_of(wanted.connection_id) == kNoConnection);
    open_.emplace(wanted.wanted, Question{wanted.connection_id, now_ + kTimeout});
  }

  void check_bounds() {
    std::erase_if(open_, [&](const auto& one) { return one.second.deadline <= now_; });
    SLUICE_CHECK(open_.size() <= kMaxWanted);
    std::set<Buffer> ids;
    for (const auto& [handle, owner] : live_) {
      const Connection* connection = endpoint_.find(handle);
      SLUICE_CHECK(connection != nullptr && connection->connected());
      for (const ConnectionId& id : connection->own_connection_ids()) {
        SLUICE_CHECK(ids.insert(test::copy_of(id.bytes())).second);
      }
    }
    SLUICE_CHECK(live_.size() == endpoint_.size() && live_.size() <= kLimit);
    SLUICE_CHECK(endpoint_.half_open() == 0);
    const auto& counted = endpoint_.statistics();
    SLUICE_CHECK(counted.datagrams_received == datagrams_ && counted.accepted == 0);
    SLUICE_CHECK(counted.wanted == asked_ && counted.wanted_refused == refused_);
    SLUICE_CHECK(counted.adopted == entered_);
  }

  // ---- the end

  [[nodiscard]] bool is_well(unsigned number) const {
    const Known& known = known_[number];
    return !known.is_spoilt && !known.is_over && known.device.connection().connected();
  }
  void check_works(unsigned number) {
    Known& known = known_[number];
    SLUICE_CHECK(known.stored.has_value());
    const auto handle = must(endpoint_.adopt(
        world_.server, *std::exchange(known.stored, std::nullopt), known.path, now_));
    enters(handle, {number});
    end_questions_for(endpoint_.find(handle)->own_connection_ids());
    drain();
    pass({});
    known.device.drop_sent();
    known.device.send();
    const std::size_t before = known.device.delivered();
    receive(known.device.take_sent(0, false), number);
    SLUICE_CHECK(known.device.delivered() == before + 1);
    SLUICE_CHECK(endpoint_.abort(handle).has_value());
    drain();
  }

  const SleepingDevices& world_;
  Environment& environment_;
  Instant now_{};
  Endpoint endpoint_;
  std::vector<Known> known_;
  std::map<ConnectionHandle, Owner> live_;
  std::set<ConnectionHandle> gone_;
  std::map<WantedSession, Question> open_;
  std::optional<Owner> to_restore_;
  std::uint64_t asked_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t entered_ = 0;
  std::uint64_t ended_questions_ = 0;
  std::uint64_t datagrams_ = 0;
};

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  dtls::wire::Reader input(fuzz::bytes_of(data, size));
  fuzz::Run run(input.u8());
  while (input.more()) run.step(input);
  run.finish();
  return 0;
}

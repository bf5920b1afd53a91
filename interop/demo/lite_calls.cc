#include "demo/lite_calls.h"

#include <glib-unix.h>
#include <glib.h>

#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/tcp/driver.h>
#include <sluice/udp/address.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>
#include <variant>

#include "common/clock.h"
#include "common/random_numbers.h"

namespace sluice::interop::demo {
namespace {

using Server = ice_lite::IceLiteServer;
using ServerDriver = tcp::Driver<Server>;

class LiteCall;

// The server, its sockets, and the calls by their sessions.
class LitePort {
 public:
  LitePort(ServerDriver driver, std::vector<ice_lite::AnnouncedAddress> announced,
           GMainContext* context)
      : driver_(std::move(driver)), announced_(std::move(announced)), context_(context) {
    source_ = g_unix_fd_source_new(driver_.descriptor(), G_IO_IN);
    const GUnixFDSourceFunc callback = [](gint, GIOCondition, gpointer self) -> gboolean {
      static_cast<LitePort*>(self)->turn();
      return G_SOURCE_CONTINUE;
    };
    g_source_set_callback(source_, G_SOURCE_FUNC(callback), this, nullptr);
    g_source_attach(source_, context);
  }
  ~LitePort() {
    for (GSource* source : {source_, soon_}) {
      if (source == nullptr) continue;
      g_source_destroy(source);
      g_source_unref(source);
    }
  }
  LitePort(const LitePort&) = delete;
  LitePort& operator=(const LitePort&) = delete;

  Server& server() { return driver_.server(); }
  // The port, of UDP and of TCP.
  [[nodiscard]] std::uint16_t number() { return driver_.socket().own().port; }
  [[nodiscard]] const std::vector<ice_lite::AnnouncedAddress>& announced() const {
    return announced_;
  }

  void add(ice_lite::SessionHandle session, LiteCall& call) { calls_.emplace(session, &call); }
  dtls::Result<ice_lite::SessionHandle> restore(ice_lite::SessionState state,
                                                const ice_lite::RestoreOptions& options) {
    auto session = server().restore(std::move(state), options, common::now());
    settle();
    return session;
  }
  void forget_connections(ice_lite::SessionHandle session) {
    interop::forget_connections(server(), session, common::now());
    settle();
  }
  // The call ends: the peer gets a close_notify.
  void remove(ice_lite::SessionHandle session) {
    calls_.erase(session);
    static_cast<void>(server().close(session, common::now()));
    settle();
  }

  // After an input that may leave events: tells them, though no datagram comes.
  void turn_soon() {
    settle();
    if (soon_ != nullptr) return;
    soon_ = g_idle_source_new();
    const GSourceFunc callback = [](gpointer self) -> gboolean {
      auto* port = static_cast<LitePort*>(self);
      g_source_unref(std::exchange(port->soon_, nullptr));
      port->turn();
      return G_SOURCE_REMOVE;
    };
    g_source_set_callback(soon_, callback, this, nullptr);
    g_source_attach(soon_, context_);
  }

  // Protects a packet by `protect` where it is to leave from.
  template <class Protect>
  bool send(Bytes packet, std::size_t room_behind, Protect protect) {
    const auto room = driver_.room(packet.size() + room_behind);
    if (room.size() < packet.size() + room_behind) return false;
    std::ranges::copy(packet, room.begin());
    return commit(protect(room));
  }
  bool commit(const auto& made) {
    if (made) driver_.commit(made->size, made->path);
    settle();
    return made.has_value();
  }
  MutableBytes room(std::size_t size) { return driver_.room(size); }
  // Takes what has come already; the outputs are drained then.
  void catch_up() { turn(); }

 private:
  auto count_transmit() {
    return [this](const ice_lite::Transmit& sent) { on_transmit(sent); };
  }

  void turn() {
    is_in_turn_ = true;
    driver_.turn([this] { drain(); }, count_transmit());
    is_in_turn_ = false;
  }
  // After an input outside of turn(): only sends, so that no listener is called from within a
  // method.
  void settle() {
    if (!is_in_turn_) driver_.drain([] {}, count_transmit());
  }
  void drain();
  void on_transmit(const ice_lite::Transmit& sent);
  void on_event(const ice_lite::Event& event);
  // Null: the call has ended here.
  [[nodiscard]] LiteCall* find(ice_lite::SessionHandle session) const {
    const auto found = calls_.find(session);
    return found == calls_.end() ? nullptr : found->second;
  }

  ServerDriver driver_;
  std::vector<ice_lite::AnnouncedAddress> announced_;
  GMainContext* context_;
  GSource* source_ = nullptr;
  GSource* soon_ = nullptr;  // null: no turn is asked for
  std::unordered_map<ice_lite::SessionHandle, LiteCall*> calls_;
  bool is_in_turn_ = false;
};

class LiteCall final : public CallTransport {
 public:
  LiteCall(LitePort& port, ice_lite::SessionHandle session, TransportDescription description,
           CallListener& listener)
      : port_(port), session_(session), description_(std::move(description)), listener_(listener) {
    port_.add(session_, *this);
  }
  ~LiteCall() override { port_.remove(session_); }
  LiteCall(const LiteCall&) = delete;
  LiteCall& operator=(const LiteCall&) = delete;

  CallListener& listener() { return listener_; }
  void count_sent() { ++datagrams_sent_; }
  void select(const dtls::UdpPath& path) {
    const bool had_path = has_path_;
    go_on(path);
    if (!had_path) listener_.on_path();
  }
  // The same for a call that has had its path before.
  void go_on(const dtls::UdpPath& path) {
    const dtls::UdpEndpoint own{path.own.address, port_.number()};
    pair_ = std::string(tcp::is_connection(path) ? "TCP " : "") + "host " + udp::to_string(own) +
            " - " + udp::to_string(path.peer);
    has_path_ = true;
  }

  [[nodiscard]] bool description_ready() const override { return true; }
  [[nodiscard]] TransportDescription local_description() const override { return description_; }
  [[nodiscard]] bool is_ice_lite() const override { return true; }

  SdpResult<void> set_answer(const TransportDescription& answer) override {
    const auto now = common::now();
    auto& server = port_.server();
    // It has begun as the one who waits (RFC 5763 section 5).
    const auto role = answer.setup == Setup::passive ? dtls::Role::client : dtls::Role::server;
    const auto start = [&](transport::MediaTransport& media) { return media.start(role, now); };
    const auto set = server.set_remote_ufrag(session_, answer.ice.ufrag, now)
                         .and_then([&] { return server.apply(session_, start); })
                         .and_then([&](const auto&) {
                           return server.set_peer_fingerprints(session_, answer.fingerprints, now);
                         });
    port_.turn_soon();
    if (set) return {};
    return tl::unexpected(
        SdpError{"The answer can't be taken: " + dtls::to_string(set.error()) + "."});
  }

  void send_rtp(Bytes packet) override {
    datagrams_sent_ += port_.send(packet, srtp::kMaxTrailer, [&](MutableBytes room) {
      return port_.server().protect_rtp(session_, room, packet.size());
    });
  }
  void send_rtcp(Bytes packet) override {
    datagrams_sent_ += port_.send(packet, srtp::kMaxTrailer, [&](MutableBytes room) {
      return port_.server().protect_rtcp(session_, room, packet.size());
    });
  }
  void on_rtt(dtls::Duration rtt) override {
    static_cast<void>(port_.server().set_rtt(session_, rtt));
  }
  void send_data(Bytes data) override {
    const auto room = port_.room(data.size() + dtls::kSealOverhead);
    datagrams_sent_ += port_.commit(port_.server().seal_data(session_, data, room));
  }

  // The call: the port has no session for it any more.
  tl::expected<dtls::SecretBytes, std::string> move_out() override {
    auto state = port_.server().export_session(session_, common::now());
    if (!state) return tl::unexpected(dtls::to_string(state.error()));
    const auto bytes = state->bytes();
    return dtls::SecretBytes(dtls::Buffer(bytes.begin(), bytes.end()));
  }

  [[nodiscard]] PathFigures path_figures() const override {
    const auto received = media_statistics().received;
    const auto& server = port_.server().statistics();
    return {
        .state = has_path_ ? "connected" : "checking",
        .pair = pair_,
        .datagrams_received = std::accumulate(received.begin(), received.end(), std::uint64_t{0}),
        .datagrams_sent = datagrams_sent_,
        .dtls_in_stun = server.dtls_in_stun_received + server.dtls_in_stun_sent};
  }
  [[nodiscard]] std::optional<dtls::ConnectionInfo> info() const override {
    const auto* transport = port_.server().find(session_);
    return transport != nullptr ? transport->info() : std::nullopt;
  }
  [[nodiscard]] srtp::Cryptex cryptex() const override {
    const auto* transport = port_.server().find(session_);
    return transport != nullptr ? transport->cryptex() : srtp::Cryptex::off;
  }
  [[nodiscard]] transport::MediaTransportStatistics media_statistics() const override {
    const auto* transport = port_.server().find(session_);
    return transport != nullptr ? transport->statistics() : transport::MediaTransportStatistics{};
  }
  [[nodiscard]] std::optional<dtls::Statistics> dtls_statistics() const override {
    const auto* transport = port_.server().find(session_);
    return transport != nullptr ? transport->dtls_statistics() : std::nullopt;
  }

 private:
  LitePort& port_;
  ice_lite::SessionHandle session_;
  TransportDescription description_;
  CallListener& listener_;
  std::string pair_;
  bool has_path_ = false;
  std::uint64_t datagrams_sent_ = 0;
};

// A listener may end its call, and others: each is looked up again.
void LitePort::drain() {
  while (const auto data = server().poll_data()) {
    if (LiteCall* call = find(data->session)) call->listener().on_data(data->bytes);
  }
  while (const auto media = server().poll_media()) {
    LiteCall* call = find(media->session);
    if (call == nullptr) continue;
    if (media->kind == transport::MediaKind::rtp) {
      call->listener().on_rtp(media->packet);
    } else {
      call->listener().on_rtcp(media->packet);
    }
  }
  while (const auto event = server().poll_event()) on_event(*event);
}

void LitePort::on_transmit(const ice_lite::Transmit& sent) {
  const auto session = server().find(sent.path);
  if (!session) return;
  if (LiteCall* call = find(*session)) call->count_sent();
}

void LitePort::on_event(const ice_lite::Event& event) {
  LiteCall* call = find(event.session);
  if (call == nullptr) return;
  if (const auto* connected = std::get_if<ice_lite::Connected>(&event.what)) {
    call->listener().on_connected(connected->info);
  } else if (const auto* selected = std::get_if<ice_lite::PathSelected>(&event.what)) {
    call->select(selected->path);
  } else if (std::holds_alternative<ice_lite::Expired>(event.what)) {
    call->listener().on_transport_ended("the peer's consent has expired");
  } else if (const auto* ended = std::get_if<ice_lite::Ended>(&event.what)) {
    call->listener().on_transport_ended(ended->reason == ice_lite::EndReason::closed_by_peer
                                            ? "closed by the peer"
                                            : describe_failure(ended->error));
  }
}

class LiteCalls final : public CallTransports {
 public:
  LiteCalls(ServerDriver driver, std::vector<ice_lite::AnnouncedAddress> announced,
            dtls::Environment& environment, GMainContext* context)
      : environment_(environment), port_(std::move(driver), std::move(announced), context) {}

  SdpResult<std::unique_ptr<CallTransport>> open(const CallOptions& call,
                                                 CallListener& listener) override {
    // RFC 8445 section 6.1.1: two lite agents find no pair by checks.
    if (call.offer_is_lite) return refused("the offer says a=ice-lite, and so does the answer");
    const auto fingerprints = own_fingerprints(call);
    if (!fingerprints) return refused(dtls::to_string(fingerprints.error()));
    ice_lite::SessionOptions options;
    options.transport.dtls = call.dtls;
    options.dtls_in_stun = call.dtls_in_stun;
    options.role = call.setup == Setup::active ? dtls::Role::client : dtls::Role::server;
    if (call.offer) {
      options.transport.srtp.cryptex = answer_cryptex(*call.offer);
      options.peer_fingerprints = call.offer->fingerprints;
      options.remote_ufrag = call.offer->ice.ufrag;
    }
    const auto session = port_.server().add_session(options, common::now());
    if (!session) return refused(dtls::to_string(session.error()));
    return std::make_unique<LiteCall>(port_, *session, describe(*session, call, *fingerprints),
                                      listener);
  }
  SdpResult<std::unique_ptr<CallTransport>> restore(Bytes moved, const RestoreOptions& options,
                                                    CallListener& listener) override {
    const auto session =
        ice_lite::SessionState::parse(moved).and_then([&](ice_lite::SessionState state) {
          return port_.restore(std::move(state),
                               {.transport = {.dtls = options.dtls}, .away = options.away});
        });
    if (!session) return refused(dtls::to_string(session.error()));
    auto call = std::make_unique<LiteCall>(port_, *session, TransportDescription{}, listener);
    if (const auto path = port_.server().path_of(*session)) call->go_on(*path);
    port_.forget_connections(*session);
    return call;
  }
  void catch_up() override { port_.catch_up(); }

 private:
  static tl::unexpected<SdpError> refused(const std::string& why) {
    return tl::unexpected(SdpError{"The transport can't be opened: " + why + "."});
  }
  dtls::Result<std::vector<dtls::Fingerprint>> own_fingerprints(const CallOptions& call) const {
    std::vector<dtls::Fingerprint> fingerprints;
    for (const dtls::Identity& identity : (*call.dtls)->identities) {
      auto made =
          dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment_);
      if (!made) return dtls::forward_error(made);
      fingerprints.push_back(*std::move(made));
    }
    return fingerprints;
  }
  TransportDescription describe(ice_lite::SessionHandle session, const CallOptions& call,
                                std::vector<dtls::Fingerprint> fingerprints) {
    const auto credentials = *port_.server().local_credentials(session);
    TransportDescription description{.ice = {.ufrag = credentials.ufrag, .pwd = credentials.pwd},
                                     .end_of_candidates = true,
                                     .setup = call.setup,
                                     .fingerprints = std::move(fingerprints)};
    // RFC 8842 section 5.3: an answer has it where the offer has it.
    if (call.offer && !call.offer->tls_id.empty()) description.tls_id = common::random_id();
    description.cryptex = call.offer && answer_cryptex(*call.offer) != srtp::Cryptex::off;
    auto preference = static_cast<std::uint16_t>(0xffff);
    for (const auto& address : port_.announced()) {
      description.candidates.push_back(ice_lite::candidate(address, preference--));
    }
    return description;
  }

  dtls::Environment& environment_;
  LitePort port_;
};

}  // namespace

tl::expected<std::unique_ptr<CallTransports>, std::string> make_lite_calls(
    const LiteOptions& options, dtls::Environment& environment, GMainContext* context) {
  auto sockets = open_sockets(options, environment);
  if (!sockets) return tl::unexpected(sockets.error());
  auto announced = announced_addresses(options, sockets->udp.own().port);
  if (!announced) return tl::unexpected(announced.error());
  auto server = Server::make({}, environment);
  if (!server) return tl::unexpected(dtls::to_string(server.error()));
  auto driver =
      ServerDriver::make(*std::move(server), std::move(sockets->udp), std::move(sockets->tcp));
  if (!driver) return tl::unexpected(driver.error());
  return std::make_unique<LiteCalls>(*std::move(driver), *std::move(announced), environment,
                                     context);
}

}  // namespace sluice::interop::demo

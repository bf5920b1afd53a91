// All sessions of the demo, on one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sluice/dtls/environment.h>
#include <sluice/nice/ice_options.h>

#include "demo/echo_session.h"
#include "demo/lite_calls.h"

// GLib's GSource.
struct _GSource;  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::interop::demo {

enum class IceAgent : std::uint8_t {
  lite,     // sluice::ice_lite: all calls on one UDP port
  libnice,  // sluice::nice: a UDP port per call and local address
};

struct ServiceOptions {
  std::size_t max_sessions = 16;  // 1 or more
  // Of IPv6: per /64 (common::host_of()).
  std::size_t max_sessions_per_address = 0;           // 0: half of max_sessions, 1 or more
  Setup setup = Setup::passive;                       // our role when the offer says actpass
  std::vector<dtls::SrtpProfile> srtp_profiles = {};  // in order of preference; empty: the default
  dtls::ProtocolVersion max_version = dtls::ProtocolVersion::dtls13;
  dtls::Duration connect_timeout = std::chrono::seconds{60};  // of a call, until it is connected
  IceAgent agent = IceAgent::lite;
  LiteOptions lite = {};      // IceAgent::lite
  nice::IceOptions ice = {};  // IceAgent::libnice
  // Observe the DTLS connections, on the service's thread. Not owned; may be null.
  dtls::KeyLog* key_log = nullptr;
  dtls::PacketObserver* packet_observer = nullptr;
};

struct Created {
  std::string id;
  std::string sdp;  // the answer, or our offer
};
struct Refused {
  int status;            // HTTP status
  std::string sentence;  // for the client
};
using CreateResult = tl::expected<Created, Refused>;

// Created, used and destroyed on the thread that runs `context`.
class EchoService {
 public:
  // The error says which option is wrong.
  static tl::expected<std::unique_ptr<EchoService>, std::string> make(ServiceOptions options,
                                                                      _GMainContext* context);
  ~EchoService();
  EchoService(const EchoService&) = delete;
  EchoService& operator=(const EchoService&) = delete;

  // Calls `done` once, before or after create() returns. Refused: 400 the offer rules `setup` out,
  // 503 too many sessions, 500 the transport can't be opened. `address`: the client's.
  void create(Offer offer, std::optional<Setup> setup, const std::string& address,
              const std::function<void(CreateResult)>& done);
  // Ends all calls that can move, without a word to the browsers, and returns what move_in() goes
  // on with in the next process. The others go on here.
  [[nodiscard]] dtls::SecretBytes move_out();
  // How many calls go on. Those that cannot are reported. The error says what is wrong with the
  // bytes.
  tl::expected<std::size_t, std::string> move_in(dtls::Bytes moved);
  // The same for a session in which we offer, own_offer().
  void create_offering(const std::string& address, const std::function<void(CreateResult)>& done);
  // Takes the answer of such a session. Refused: 404 no such session, 409 it can't be taken.
  tl::expected<void, Refused> take_answer(const std::string& id, Offer answer);
  // Ends a session. False: no such session.
  bool remove(const std::string& id);
  // A session's statistics as JSON. A session that ended by itself keeps them for 30 s. Empty: no
  // such session.
  [[nodiscard]] std::optional<std::string> statistics(const std::string& id) const;

 private:
  EchoService(ServiceOptions options, _GMainContext* context,
              std::unique_ptr<dtls::Environment> environment, dtls::ConfigPtr config,
              std::unique_ptr<CallTransports> transports);
  struct Session {
    std::string address;  // the client's
    std::unique_ptr<EchoSession> echo;
  };

  void open(Offer offer, Setup setup, const std::string& address,
            const std::function<void(CreateResult)>& done);
  bool make_room(const std::string& address);
  void run_data_timers();
  void sweep();
  template <void (EchoService::*Work)()>
  _GSource* start_timer(std::chrono::milliseconds period);

  ServiceOptions options_;
  _GMainContext* context_;
  std::unique_ptr<dtls::Environment> environment_;
  dtls::ConfigPtr config_;
  std::unique_ptr<CallTransports> transports_;
  std::map<std::string, Session> sessions_;  // at most max_sessions
  _GSource* data_timer_ = nullptr;
  _GSource* sweep_timer_ = nullptr;
};

}  // namespace sluice::interop::demo

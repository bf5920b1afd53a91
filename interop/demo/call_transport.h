// The transport of one call: ICE, DTLS, SRTP and data, with either ICE agent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include <sluice/transport/media_transport.h>
#include "common/sdp/transport_description.h"

#include "common/sdp/sdp_document.h"

namespace sluice::interop::demo {

using dtls::Bytes;
using dtls::MutableBytes;

// What a CallTransport reports. All calls come on the service's thread and never from within a
// method of CallTransport; each may call any method, also destroy the transport. Spans are valid
// until the call returns.
class CallListener {
 public:
  // CallTransport::local_description() has all candidates now.
  virtual void on_description_ready() = 0;
  // ICE has found the first path that works.
  virtual void on_path() = 0;
  // The peer is accepted: media and data can be sent.
  virtual void on_connected(const dtls::ConnectionInfo& info) = 0;
  virtual void on_rtp(MutableBytes packet) = 0;
  virtual void on_rtcp(MutableBytes packet) = 0;
  virtual void on_data(MutableBytes data) = 0;
  // The last call.
  virtual void on_transport_ended(const std::string& reason) = 0;

 protected:
  ~CallListener() = default;
};

// For statistics. Datagrams of DTLS, RTP and RTCP, without STUN.
struct PathFigures {
  std::string state;  // of ICE
  std::string pair;   // of candidates; empty: none yet
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_sent = 0;
  // Datagrams of DTLS in STUN, both ways, of all calls of the server.
  std::uint64_t dtls_in_stun = 0;
};

// Packets and data that cannot be sent are dropped.
class CallTransport {
 public:
  virtual ~CallTransport() = default;

  // Whether local_description() has all candidates already. If not, on_description_ready() follows.
  [[nodiscard]] virtual bool description_ready() const = 0;
  [[nodiscard]] virtual TransportDescription local_description() const = 0;
  // Whether the answer must say a=ice-lite.
  [[nodiscard]] virtual bool is_ice_lite() const = 0;

  // The transport's part of the answer to our offer, which says a=setup:active or passive. The
  // error is a sentence that says why it can't be taken.
  virtual SdpResult<void> set_answer(const TransportDescription& answer) = 0;

  virtual void send_rtp(Bytes packet) = 0;
  virtual void send_rtcp(Bytes packet) = 0;
  virtual void send_data(Bytes data) = 0;

  // The round-trip time by the browser's reports. Where the ICE agent measures it, that decides.
  virtual void on_rtt(dtls::Duration /*rtt*/) {}

  // Ends the transport without a word to the peer: what CallTransports::restore() goes on from. The
  // error says why it stays as it is.
  virtual tl::expected<dtls::SecretBytes, std::string> move_out() = 0;

  [[nodiscard]] virtual PathFigures path_figures() const = 0;
  // Empty until connected.
  [[nodiscard]] virtual std::optional<dtls::ConnectionInfo> info() const = 0;
  [[nodiscard]] virtual srtp::Cryptex cryptex() const = 0;
  [[nodiscard]] virtual transport::MediaTransportStatistics media_statistics() const = 0;
  // Empty before the handshake begins.
  [[nodiscard]] virtual std::optional<dtls::Statistics> dtls_statistics() const = 0;
};

struct CallOptions {
  dtls::ConfigPtr dtls = {};  // required
  // What our description says: active or passive; actpass where we offer.
  Setup setup = Setup::passive;
  // The transport's part of the offer. Empty: we offer, and set_answer() follows.
  std::optional<TransportDescription> offer = {};
  bool offer_is_lite = false;  // the offer says a=ice-lite
  bool dtls_in_stun = false;   // the offer has the option, which only ice_lite takes up
};

struct RestoreOptions {
  dtls::ConfigPtr dtls = {};  // required
  dtls::Duration away = {};   // since move_out()
};

// Opens the transports of a service's calls. Used on the service's thread; outlives them.
class CallTransports {
 public:
  virtual ~CallTransports() = default;
  // The listener outlives the transport. The error is a sentence that says why it can't be opened.
  virtual SdpResult<std::unique_ptr<CallTransport>> open(const CallOptions& options,
                                                         CallListener& listener) = 0;
  // Goes on with what move_out() has returned, connected at once: the listener is not told.
  virtual SdpResult<std::unique_ptr<CallTransport>> restore(Bytes moved,
                                                            const RestoreOptions& options,
                                                            CallListener& listener) = 0;
  // Before calls move out: handles what has come for them.
  virtual void catch_up() {}
};

// What ended a connection, in a few words.
std::string describe_failure(const std::optional<dtls::Error>& error);

}  // namespace sluice::interop::demo

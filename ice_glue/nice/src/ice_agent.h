// One ICE generation: a libnice agent with one stream of one component.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sluice/dtls/bytes.h>
#include <sluice/nice/ice_options.h>
#include <sluice/nice/ice_state.h>
#include <tl/expected.hpp>

#include "candidate_line.h"
#include "glib_handles.h"

namespace sluice::nice {

enum class IceSend : std::uint8_t {
  sent,
  would_block,  // no selected pair, or the socket's buffer is full
  no_consent,   // RFC 7675: the peer has not renewed its consent
  failed,       // the socket refused, e.g. EMSGSIZE or an unreachable network
};

// What libnice guarantees (read in its source, 0.1.21) and this code depends on:
//
// - A datagram reaches the receive callback only if a STUN message with a valid MESSAGE-INTEGRITY
//   has come from its source address to this component: a check of the peer's or an answer to ours.
//   libnice remembers the newest fifty or so such addresses. So every datagram of on_datagram() has
//   a validated source, also before a pair is selected and before the remote credentials are known.
//   STUN that did not authenticate may be among them when it comes from such an address.
// - The callback doesn't say which address it was. So a generation is one path to its users, and
//   each generation has sockets of its own. RFC 8842 section 6 asks for such fresh candidates
//   before a new DTLS association.
// - Sending goes over the selected pair and is refused before there is one.
// - Signals may be emitted from within any call of libnice, datagrams only from the context's
//   dispatch, and a new selected pair is signalled before a datagram that follows it.
class IceAgent {
 public:
  // Called by libnice on the context's thread, all but the last also from within methods of
  // IceAgent. Only on_datagram() may destroy it.
  class Handler {
   public:
    virtual void on_local_candidate(std::string line) = 0;  // "candidate:..."
    virtual void on_gathering_done() = 0;
    virtual void on_state(IceState state) = 0;
    virtual void on_selected_pair(CandidatePair pair) = 0;
    virtual void on_datagram(dtls::MutableBytes datagram) = 0;

   protected:
    ~Handler() = default;
  };

  // `options` have been checked. All of the agent happens in `context`, whose thread also uses it.
  IceAgent(GMainContext* context, const IceOptions& options, Handler& handler);
  // Relays are given back to their TURN servers while the context goes on to run.
  ~IceAgent();
  IceAgent(const IceAgent&) = delete;
  IceAgent& operator=(const IceAgent&) = delete;

  // Errors: gathering_failed.
  TransportResult<void> gather();
  [[nodiscard]] IceCredentials local_credentials() const;

  // `credentials` have been checked.
  void set_remote_credentials(const IceCredentials& credentials);
  // False when it can't be used: a name (mDNS), another component, TCP where TCP is off.
  bool add_remote_candidate(const CandidateLine& line);
  void end_of_remote_candidates();

  IceSend send(dtls::Bytes datagram);

 private:
  static void on_new_candidate(NiceAgent* agent, NiceCandidate* candidate, gpointer self);
  static void on_gathered(NiceAgent* agent, guint stream, gpointer self);
  static void on_state_changed(NiceAgent* agent, guint stream, guint component, guint state,
                               gpointer self);
  static void on_new_selected_pair(NiceAgent* agent, guint stream, guint component,
                                   NiceCandidate* local, NiceCandidate* remote, gpointer self);
  static void on_receive(NiceAgent* agent, guint stream, guint component, guint size, gchar* bytes,
                         gpointer self);

  void set_properties(const IceOptions& options);
  void add_local_addresses(const IceOptions& options);
  void add_relays(const IceOptions& options);

  GMainContext* context_;
  Handler& handler_;
  AgentHandle agent_;
  guint stream_;
  bool has_relays_;
};

}  // namespace sluice::nice

#include "ice_agent.h"

#include <nice/interfaces.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace sluice::nice {
namespace {

// One component carries RTP, RTCP (RFC 5761) and DTLS.
constexpr guint kComponent = 1;

NiceAgentOption agent_options(const IceOptions& options) {
  // Trickle keeps libnice from giving up while candidates may still come.
  unsigned flags = NICE_AGENT_OPTION_ICE_TRICKLE;
  if (options.nomination == Nomination::regular) flags |= NICE_AGENT_OPTION_REGULAR_NOMINATION;
  if (options.consent_freshness) flags |= NICE_AGENT_OPTION_CONSENT_FRESHNESS;
  return static_cast<NiceAgentOption>(flags);
}

IceState state_of(NiceComponentState state) {
  switch (state) {
    case NICE_COMPONENT_STATE_CONNECTING:
      return IceState::checking;
    case NICE_COMPONENT_STATE_CONNECTED:
      return IceState::connected;
    case NICE_COMPONENT_STATE_READY:
      return IceState::completed;
    case NICE_COMPONENT_STATE_FAILED:
      return IceState::failed;
    case NICE_COMPONENT_STATE_DISCONNECTED:
    case NICE_COMPONENT_STATE_GATHERING:
    case NICE_COMPONENT_STATE_LAST:
      break;
  }
  return IceState::gathering;
}

CandidateType type_of(NiceCandidateType type) {
  switch (type) {
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
      return CandidateType::server_reflexive;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
      return CandidateType::peer_reflexive;
    case NICE_CANDIDATE_TYPE_RELAYED:
      return CandidateType::relayed;
    case NICE_CANDIDATE_TYPE_HOST:
      break;
  }
  return CandidateType::host;
}

NiceCandidateType type_of(CandidateType type) {
  switch (type) {
    case CandidateType::server_reflexive:
      return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case CandidateType::peer_reflexive:
      return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
    case CandidateType::relayed:
      return NICE_CANDIDATE_TYPE_RELAYED;
    case CandidateType::host:
      break;
  }
  return NICE_CANDIDATE_TYPE_HOST;
}

NiceCandidateTransport transport_of(CandidateTransport transport) {
  switch (transport) {
    case CandidateTransport::tcp_active:
      return NICE_CANDIDATE_TRANSPORT_TCP_ACTIVE;
    case CandidateTransport::tcp_passive:
      return NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE;
    case CandidateTransport::tcp_so:
      return NICE_CANDIDATE_TRANSPORT_TCP_SO;
    case CandidateTransport::udp:
      break;
  }
  return NICE_CANDIDATE_TRANSPORT_UDP;
}

CandidateInfo info_of(const NiceCandidate& candidate) {
  char text[NICE_ADDRESS_STRING_LEN] = {};
  nice_address_to_string(&candidate.addr, text);
  return {.type = type_of(candidate.type),
          .tcp = candidate.transport != NICE_CANDIDATE_TRANSPORT_UDP,
          .address = text,
          .port = static_cast<std::uint16_t>(nice_address_get_port(&candidate.addr))};
}

}  // namespace

IceAgent::IceAgent(GMainContext* context, const IceOptions& options, Handler& handler)
    : context_(context),
      handler_(handler),
      agent_(nice_agent_new_full(context, NICE_COMPATIBILITY_RFC5245, agent_options(options))),
      stream_(nice_agent_add_stream(agent_.get(), kComponent)),
      has_relays_(!options.turn_servers.empty()) {
  set_properties(options);
  add_local_addresses(options);
  add_relays(options);
  nice_agent_set_port_range(agent_.get(), stream_, kComponent, options.min_port, options.max_port);

  g_signal_connect(agent_.get(), "new-candidate-full", G_CALLBACK(&on_new_candidate), this);
  g_signal_connect(agent_.get(), "candidate-gathering-done", G_CALLBACK(&on_gathered), this);
  g_signal_connect(agent_.get(), "component-state-changed", G_CALLBACK(&on_state_changed), this);
  g_signal_connect(agent_.get(), "new-selected-pair-full", G_CALLBACK(&on_new_selected_pair), this);
  nice_agent_attach_recv(agent_.get(), stream_, kComponent, context_, &on_receive, this);
}

IceAgent::~IceAgent() {
  g_signal_handlers_disconnect_by_data(agent_.get(), this);
  nice_agent_attach_recv(agent_.get(), stream_, kComponent, context_, nullptr, nullptr);
  if (!has_relays_) return;
  // A TURN allocation is ended by a message and its answer (RFC 8656 section 8): the agent lives on
  // until then. GIO reports the end to the thread's default context.
  g_main_context_push_thread_default(context_);
  nice_agent_close_async(
      agent_.release(), [](GObject* agent, GAsyncResult*, gpointer) { g_object_unref(agent); },
      nullptr);
  g_main_context_pop_thread_default(context_);
}

void IceAgent::set_properties(const IceOptions& options) {
  g_object_set(agent_.get(),                                                        //
               "controlling-mode", gboolean{options.role == IceRole::controlling},  //
               "stun-pacing-timer", static_cast<guint>(options.pacing.count()),     //
               "upnp", FALSE, "ice-tcp", gboolean{options.tcp},                     //
               "force-relay", gboolean{options.relay_only}, nullptr);
  if (options.stun_server) {
    g_object_set(agent_.get(), "stun-server", options.stun_server->host.c_str(), "stun-server-port",
                 guint{options.stun_server->port}, nullptr);
  }
}

void IceAgent::add_local_addresses(const IceOptions& options) {
  const auto add = [this](const char* text) {
    NiceAddress address;
    nice_address_init(&address);
    if (nice_address_set_from_string(&address, text)) {
      nice_agent_add_local_address(agent_.get(), &address);
    }
  };
  for (const auto& text : options.local_addresses) add(text.c_str());
  // libnice's own list leaves loopback out, and any address of ours replaces that list.
  if (options.local_addresses.empty() && options.include_loopback) {
    GList* addresses = nice_interfaces_get_local_ips(TRUE);
    for (GList* item = addresses; item != nullptr; item = item->next) {
      add(static_cast<const char*>(item->data));
    }
    g_list_free_full(addresses, &g_free);
  }
}

void IceAgent::add_relays(const IceOptions& options) {
  for (const auto& server : options.turn_servers) {
    nice_agent_set_relay_info(agent_.get(), stream_, kComponent, server.host.c_str(), server.port,
                              server.username.c_str(), server.password.c_str(),
                              server.transport == TurnServer::Transport::udp
                                  ? NICE_RELAY_TYPE_TURN_UDP
                                  : NICE_RELAY_TYPE_TURN_TCP);
  }
}

TransportResult<void> IceAgent::gather() {
  if (nice_agent_gather_candidates(agent_.get(), stream_)) return {};
  return tl::unexpected(
      TransportError{TransportErrc::gathering_failed, "no local address, or no free port"});
}

IceCredentials IceAgent::local_credentials() const {
  gchar* ufrag = nullptr;
  gchar* pwd = nullptr;
  nice_agent_get_local_credentials(agent_.get(), stream_, &ufrag, &pwd);
  const TextHandle own_ufrag(ufrag);
  const TextHandle own_pwd(pwd);
  return {.ufrag = ufrag, .pwd = pwd};
}

void IceAgent::set_remote_credentials(const IceCredentials& credentials) {
  nice_agent_set_remote_credentials(agent_.get(), stream_, credentials.ufrag.c_str(),
                                    credentials.pwd.c_str());
}

bool IceAgent::add_remote_candidate(const CandidateLine& line) {
  // RFC 8839 section 5.1: candidates of components that we don't have are ignored.
  if (line.component != kComponent) return false;
  const CandidateHandle candidate(nice_candidate_new(type_of(line.type)));
  candidate->component_id = kComponent;
  candidate->stream_id = stream_;
  candidate->transport = transport_of(line.transport);
  candidate->priority = line.priority;
  line.foundation.copy(candidate->foundation, NICE_CANDIDATE_MAX_FOUNDATION - 1);
  if (!nice_address_set_from_string(&candidate->addr, line.address.c_str())) return false;
  nice_address_set_port(&candidate->addr, line.port);
  // The related address is for people (RFC 8839 section 5.1): browsers may put a name there.
  if (nice_address_set_from_string(&candidate->base_addr, line.related_address.c_str())) {
    nice_address_set_port(&candidate->base_addr, line.related_port);
  }
  const GSList only{candidate.get(), nullptr};
  return nice_agent_set_remote_candidates(agent_.get(), stream_, kComponent, &only) > 0;
}

void IceAgent::end_of_remote_candidates() {
  nice_agent_peer_candidate_gathering_done(agent_.get(), stream_);
}

IceSend IceAgent::send(dtls::Bytes datagram) {
  GOutputVector vector{datagram.data(), datagram.size()};
  const NiceOutputMessage message{&vector, 1};
  GError* problem = nullptr;
  const gint sent = nice_agent_send_messages_nonblocking(agent_.get(), stream_, kComponent,
                                                         &message, 1, nullptr, &problem);
  if (sent == 1) return IceSend::sent;
  const ErrorHandle error(problem);
  if (g_error_matches(problem, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) return IceSend::would_block;
  if (g_error_matches(problem, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return IceSend::no_consent;
  return IceSend::failed;
}

void IceAgent::on_new_candidate(NiceAgent* agent, NiceCandidate* candidate, gpointer self) {
  const TextHandle text(nice_agent_generate_local_candidate_sdp(agent, candidate));
  std::string line = text.get() + std::strlen("a=");
  static_cast<IceAgent*>(self)->handler_.on_local_candidate(std::move(line));
}

void IceAgent::on_gathered(NiceAgent*, guint, gpointer self) {
  static_cast<IceAgent*>(self)->handler_.on_gathering_done();
}

void IceAgent::on_state_changed(NiceAgent*, guint, guint, guint state, gpointer self) {
  static_cast<IceAgent*>(self)->handler_.on_state(state_of(static_cast<NiceComponentState>(state)));
}

void IceAgent::on_new_selected_pair(NiceAgent*, guint, guint, NiceCandidate* local,
                                    NiceCandidate* remote, gpointer self) {
  static_cast<IceAgent*>(self)->handler_.on_selected_pair(
      {.local = info_of(*local), .remote = info_of(*remote)});
}

// The handler's call is the last thing done: it may destroy the IceAgent.
void IceAgent::on_receive(NiceAgent*, guint, guint, guint size, gchar* bytes, gpointer self) {
  static_cast<IceAgent*>(self)->handler_.on_datagram(
      std::as_writable_bytes(std::span(bytes, size)));
}

}  // namespace sluice::nice

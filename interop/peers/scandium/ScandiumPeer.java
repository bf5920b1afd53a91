// An echo server and a line client on Eclipse Californium's Scandium, for the interoperability matrix. DTLS 1.2.
//
// The options and the output are those of pion-peer, with two dashes (../pion/main.go).

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.californium.elements.AddressEndpointContext;
import org.eclipse.californium.elements.Definition;
import org.eclipse.californium.elements.DtlsEndpointContext;
import org.eclipse.californium.elements.EndpointContext;
import org.eclipse.californium.elements.MessageCallback;
import org.eclipse.californium.elements.RawData;
import org.eclipse.californium.elements.auth.RawPublicKeyIdentity;
import org.eclipse.californium.elements.auth.X509CertPath;
import org.eclipse.californium.elements.config.CertificateAuthenticationMode;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.util.Bytes;
import org.eclipse.californium.elements.util.SslContextUtil;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.cipher.CipherSuite;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedSinglePskStore;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;
import org.eclipse.californium.scandium.dtls.x509.StaticNewAdvancedCertificateVerifier;

final class ScandiumPeer {
    private static final Set<String> FLAGS = Set.of("verify", "rpk");

    private final Map<String, String> options;
    private final AtomicBoolean told = new AtomicBoolean();

    private ScandiumPeer(Map<String, String> options) {
        this.options = options;
    }

    public static void main(String[] arguments) throws Exception {
        DtlsConfig.register();
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; ++i) {
            String name = arguments[i].substring(2);
            options.put(name, FLAGS.contains(name) ? "" : arguments[++i]);
        }
        ScandiumPeer peer = new ScandiumPeer(options);
        if (options.containsKey("accept")) {
            peer.serve();
        } else {
            peer.connect();
        }
    }

    private static InetSocketAddress address(String text) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(),
                Integer.parseInt(text.substring(text.lastIndexOf(':') + 1)));
    }

    private DtlsConnectorConfig.Builder common() throws IOException, GeneralSecurityException {
        DtlsConnectorConfig.Builder builder = DtlsConnectorConfig.builder(new Configuration());
        builder.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, false);
        builder.setAsList(DtlsConfig.DTLS_CIPHER_SUITES, CipherSuite.getTypeByName(options.get("cipher")));
        // RFC 6347 section 4.2.4.1.
        builder.set(DtlsConfig.DTLS_RETRANSMISSION_TIMEOUT, 1, TimeUnit.SECONDS);
        builder.set(DtlsConfig.DTLS_MAX_RETRANSMISSIONS, 10);
        if (options.containsKey("cid")) {
            builder.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, Integer.valueOf(options.get("cid")));
        }
        if (options.containsKey("psk")) {
            builder.setAdvancedPskStore(new AdvancedSinglePskStore(options.get("psk_identity"),
                    HexFormat.of().parseHex(options.get("psk"))));
            return builder;
        }
        boolean raw = options.containsKey("rpk");
        CertificateType type = raw ? CertificateType.RAW_PUBLIC_KEY : CertificateType.X_509;
        if (options.containsKey("cert")) {
            var chain = SslContextUtil.loadCertificateChain(options.get("cert"), null, null);
            var key = SslContextUtil.loadPrivateKey(options.get("key"), null, null, null);
            builder.setCertificateIdentityProvider(raw
                    ? new SingleCertificateProvider(key, chain[0].getPublicKey())
                    : new SingleCertificateProvider(key, chain, type));
        }
        if (options.containsKey("accept") && !options.containsKey("verify")) {
            return builder; // it takes no verifier for certificates that it doesn't ask for
        }
        var verifier = StaticNewAdvancedCertificateVerifier.builder();
        builder.setAdvancedCertificateVerifier((raw ? verifier.setTrustAllRPKs() : verifier.setTrustAllCertificates()).build());
        builder.set(DtlsConfig.DTLS_VERIFY_SERVER_CERTIFICATES_SUBJECT, false);
        return builder;
    }

    private static int size(EndpointContext context, Definition<Bytes> key) {
        Bytes id = context.get(key);
        return id == null ? 0 : id.length();
    }

    // Writes a line at once; printf() would write it in pieces.
    private static void say(String format, Object... values) {
        System.out.print(String.format(format, values) + "\n");
        System.out.flush();
    }

    private void tell(EndpointContext context) {
        if (!told.compareAndSet(false, true)) {
            return;
        }
        CipherSuite suite = CipherSuite.getTypeByName(context.getString(DtlsEndpointContext.KEY_CIPHER));
        say("connected, %s, connection IDs of %d bytes here and %d there", suite.name(),
                size(context, DtlsEndpointContext.KEY_READ_CONNECTION_ID),
                size(context, DtlsEndpointContext.KEY_WRITE_CONNECTION_ID));
        Principal peer = context.getPeerIdentity();
        if (options.containsKey("verify")) {
            boolean shown = peer instanceof RawPublicKeyIdentity || peer instanceof X509CertPath;
            say("certificates of the client: %d", shown ? 1 : 0);
        }
    }

    private void serve() throws Exception {
        DtlsConnectorConfig.Builder builder = common();
        builder.setAddress(address(options.get("accept")));
        builder.set(DtlsConfig.DTLS_ROLE, DtlsConfig.DtlsRole.SERVER_ONLY);
        builder.set(DtlsConfig.DTLS_CLIENT_AUTHENTICATION_MODE, options.containsKey("verify")
                ? CertificateAuthenticationMode.NEEDED : CertificateAuthenticationMode.NONE);
        DTLSConnector connector = new DTLSConnector(builder.build());
        connector.setRawDataReceiver(data -> {
            tell(data.getEndpointContext());
            connector.send(RawData.outbound(data.getBytes(), data.getEndpointContext(), null, false));
        });
        connector.start();
        say("ACCEPT 127.0.0.1:%d", connector.getAddress().getPort());
        new CountDownLatch(1).await();
    }

    private void connect() throws Exception {
        DtlsConnectorConfig.Builder builder = common();
        builder.setAddress(address("127.0.0.1:0"));
        builder.set(DtlsConfig.DTLS_ROLE, DtlsConfig.DtlsRole.CLIENT_ONLY);
        DTLSConnector connector = new DTLSConnector(builder.build());
        connector.setRawDataReceiver(data -> {
            System.out.write(data.getBytes(), 0, data.getSize());
            System.out.flush();
        });
        connector.start();
        InetSocketAddress server = address(options.get("connect"));
        send(connector, server, new byte[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            send(connector, server, (line + '\n').getBytes(StandardCharsets.UTF_8));
        }
        connector.close(server);
        connector.destroy();
    }

    // The first message starts the handshake.
    private void send(DTLSConnector connector, InetSocketAddress server, byte[] data) {
        connector.send(RawData.outbound(data, new AddressEndpointContext(server), new MessageCallback() {
            @Override
            public void onConnecting() {}

            @Override
            public void onDtlsRetransmission(int flight) {}

            @Override
            public void onContextEstablished(EndpointContext context) {
                tell(context);
            }

            @Override
            public void onSent() {}

            @Override
            public void onError(Throwable error) {
                System.err.println("scandium-peer: " + error);
            }
        }, false));
    }
}
